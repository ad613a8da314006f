// The `hone` command: one file a command in this folder, this file only gathers them and turns errors into one clear
// message. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 75 waits for people, 130 stopped by Ctrl-C after saving.
import { Command, CommanderError } from 'commander'
import { ConfigError, DataError, EngineError, HttpError } from '#errors'
import { WAITING_CODE } from '#trainer'
import { backupCommands } from './backup.ts'
import { chatCommand } from './chat.ts'
import { dataCommands } from './data.ts'
import { demoCommand } from './demo.ts'
import { diagnoseCommand } from './diagnose.ts'
import { doctorCommand } from './doctor.ts'
import { evaluateCommand } from './evaluate.ts'
import { exportCommand } from './export.ts'
import { gateCommand } from './gate.ts'
import { generateCommand } from './generate.ts'
import { importCommand } from './import.ts'
import { initCommand } from './init.ts'
import { labelCommands } from './label.ts'
import { lineageCommand } from './lineage.ts'
import { mergeCommand } from './merge.ts'
import { pretrainCommand } from './pretrain.ts'
import { pullCommand } from './pull.ts'
import { quickstartCommand } from './quickstart/index.ts'
import { reportCommand } from './report.ts'
import { samplerCommand } from './sampler.ts'
import { serveCommand } from './serve.ts'
import { serveModelCommand } from './serve-model.ts'
import { Stopped, Waiting } from './stop.ts'
import { trainCommands } from './train.ts'
import { version } from './version.ts'

/** In the order of the loop, which is the order of `hone --help`. */
const COMMANDS = [
  quickstartCommand,
  demoCommand,
  initCommand,
  dataCommands,
  labelCommands,
  trainCommands,
  evaluateCommand,
  gateCommand,
  diagnoseCommand,
  reportCommand,
  lineageCommand,
  generateCommand,
  chatCommand,
  serveCommand,
  backupCommands,
  serveModelCommand,
  samplerCommand,
  pullCommand,
  importCommand,
  exportCommand,
  mergeCommand,
  pretrainCommand,
  doctorCommand,
]

/** All commands, none run. */
export function hone(): Command {
  const program = new Command('hone')
    .description('From a base model and an idea of good to a released, aligned model you can defend.')
    .version(version())
    .showHelpAfterError('(--help shows what this command takes)')
    .exitOverride()
  for (const add of COMMANDS) add(program)
  return program
}

/** Runs one command; sets the process's exit code and never throws. */
export async function main(args: string[]): Promise<void> {
  // A reader that has seen enough (`hone generate ... | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  try {
    await hone().parseAsync(args, { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof Stopped) {
    process.stderr.write(`${error.message}\n`)
    return 130
  }
  if (error instanceof Waiting) {
    process.stderr.write(`${error.message}\n`)
    return WAITING_CODE
  }
  const isExpected =
    error instanceof ConfigError ||
    error instanceof DataError ||
    error instanceof EngineError ||
    error instanceof HttpError
  process.stderr.write(
    isExpected
      ? `hone: ${error.message}\n`
      : `hone: a defect of hone, please report it\n${error instanceof Error ? error.stack : String(error)}\n`,
  )
  return 1
}
