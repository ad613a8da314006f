// hone merge: an adapter added into its base, as a whole model that any tool loads.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { mergeFolder } from '#lm'
import { resolveModel } from '#trainer'
import { output } from './output.ts'

export function mergeCommand(program: Command): void {
  program
    .command('merge')
    .description('add an adapter into its base: a whole Hugging Face folder')
    .requiredOption('--model <adapter>', 'folder of an adapter, or a run that trained one')
    .requiredOption('--out <folder>', 'folder of the merged model; must not exist')
    .option('--json', 'events as JSON lines on standard output')
    .action((options: { model: string; out: string; json?: boolean }) => {
      const out = output(options)
      const from = resolveModel(options.model)
      const { folder, files } = mergeFolder({ from, to: resolve(options.out) })
      out.event({ event: 'done', model: folder, files })
      out.say(`${folder}: ${from} and its base are one model`)
    })
}
