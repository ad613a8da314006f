// The `hone` command: one file a command in this folder, this file only gathers them and turns errors into one clear
// message. Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 75 waits for people, 130 stopped by Ctrl-C after saving.
import { Command, CommanderError } from 'commander'
import { ConfigError, DataError, EngineError, HttpError } from '#errors'
import { WAITING_CODE } from '#schema'
import { bringBefore, sendAfter } from './around.ts'
import { Stopped, Waiting } from './stop.ts'
import { version } from './version.ts'

/** In the order of the loop, which is the order of `hone --help`. Each is loaded when it is asked for: all of them are hundreds of files. */
const COMMANDS: Record<string, () => Promise<(program: Command) => void>> = {
  quickstart: async () => (await import('./quickstart/index.ts')).quickstartCommand,
  demo: async () => (await import('./demo.ts')).demoCommand,
  init: async () => (await import('./init.ts')).initCommand,
  data: async () => (await import('./data.ts')).dataCommands,
  label: async () => (await import('./label.ts')).labelCommands,
  train: async () => (await import('./train.ts')).trainCommands,
  evaluate: async () => (await import('./evaluate.ts')).evaluateCommand,
  gate: async () => (await import('./gate.ts')).gateCommand,
  diagnose: async () => (await import('./diagnose.ts')).diagnoseCommand,
  report: async () => (await import('./report.ts')).reportCommand,
  lineage: async () => (await import('./lineage.ts')).lineageCommand,
  generate: async () => (await import('./generate.ts')).generateCommand,
  chat: async () => (await import('./chat.ts')).chatCommand,
  serve: async () => (await import('./serve.ts')).serveCommand,
  artifacts: async () => (await import('./artifacts.ts')).artifactsCommands,
  backup: async () => (await import('./backup.ts')).backupCommands,
  restore: async () => (await import('./backup.ts')).backupCommands,
  'serve-model': async () => (await import('./serve-model.ts')).serveModelCommand,
  sampler: async () => (await import('./sampler.ts')).samplerCommand,
  pull: async () => (await import('./pull.ts')).pullCommand,
  import: async () => (await import('./import.ts')).importCommand,
  export: async () => (await import('./export.ts')).exportCommand,
  merge: async () => (await import('./merge.ts')).mergeCommand,
  pretrain: async () => (await import('./pretrain.ts')).pretrainCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
}

/** Every command, or the one that `asked` names; none run. */
export async function hone(asked?: string): Promise<Command> {
  const program = new Command('hone')
    .description('From a base model and an idea of good to a released, aligned model you can defend.')
    .version(version())
    .showHelpAfterError('(--help shows what this command takes)')
    .exitOverride()
    .hook('preAction', (_, command) => bringBefore(command))
    .hook('postAction', (_, command) => sendAfter(command))
  const names = asked !== undefined && Object.hasOwn(COMMANDS, asked) ? [asked] : Object.keys(COMMANDS)
  // Two may come out of one file.
  for (const add of new Set(await Promise.all(names.map((name) => COMMANDS[name]!())))) add(program)
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
    await (await hone(args[0])).parseAsync(args, { from: 'user' })
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
