// hone quickstart: all seven steps on the bundled domain, annotators simulated and said to be so, in a folder that is a
// workspace. Stopped or killed, the same command goes on. Independent parts run as second processes.
import { resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { holdFolder } from '#files'
import { stoppable } from '../stop.ts'
import { runChain } from './chain.ts'
import { claimFolder, type Identity, parseIdentity, readIdentity } from './identity.ts'
import { endWithParent, PARTS, type Part, runPart, takeThreads } from './parts.ts'
import { quickstartPlan } from './plan.ts'
import { openStage } from './stage.ts'

type Options = { dir: string; seed: string; scale: string; json?: boolean; part?: Part }

export function quickstartCommand(program: Command): void {
  program
    .command('quickstart')
    .description('all seven steps on the bundled customer-service domain; annotators are simulated, and said to be so')
    .option('--dir <folder>', 'workspace to make, or to go on with', 'out/quickstart')
    .option('--seed <number>', 'every random draw follows from it', '1')
    .option(
      '--scale <fraction>',
      'of rows and steps, for a quick look: at 0.05 the whole loop ends in about half a minute on a quiet 2-core machine, and its figures prove nothing, which the report says',
      '1',
    )
    .option('--json', 'events as JSON lines')
    .addOption(new Option('--part <name>', 'one part, as a second process').choices(PARTS).hideHelp())
    .action(async (options: Options) => {
      const dir = resolve(options.dir)
      const { part, json } = options
      const open = ({ seed, scale }: Identity, signal: AbortSignal) =>
        openStage({
          dir,
          seed,
          plan: quickstartPlan({ seed, scale }),
          domain: 'customer-service',
          signal,
          ...(json && { json }),
        })
      if (part !== undefined)
        return stoppable(async (signal) => {
          endWithParent(signal)
          takeThreads()
          await runPart(await open(readIdentity(dir), signal), part)
        })
      const identity = parseIdentity(options)
      claimFolder(dir, identity)
      // A second one in the same folder would write over the first; its parts are its own.
      const hold = holdFolder(dir)
      try {
        const report = await stoppable(async (signal) => runChain(await open(identity, signal)))
        if (!report.evaluation) process.exitCode = 1
      } finally {
        hold.release()
      }
    })
}
