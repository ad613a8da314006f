// hone import: a GGUF file as a Hugging Face folder, which every other command takes as --model.
import { ConfigError } from '#errors'
import { importGguf } from '#lm'
import type { Command } from 'commander'
import { output } from './output.ts'

type Options = { out: string; json?: boolean }

export function importCommand(program: Command): void {
  program
    .command('import')
    .description('a Hugging Face folder from a GGUF file, exact to the dequantised value')
    .argument(
      '<file>',
      'GGUF of the Llama architecture: F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K to Q6_K, Q8_K',
    )
    .requiredOption('--out <folder>', 'new folder; written whole or not at all')
    .option('--json', 'events as JSON lines on standard output')
    .action(importModel)
}

function importModel(file: string, options: Options): void {
  const out = output(options)
  if (/\.(bin|pt|pth|ckpt|pkl)$/.test(file))
    throw new ConfigError(`expected a GGUF file, got ${file}: a pickle, which can run any code and is never opened`)
  const start = performance.now()
  const imported = importGguf({
    file,
    to: options.out,
    onTensor: (done, of) => out.progress(`tensor ${done + 1}/${of}`),
  })
  out.endProgress()
  const { types, parameters, dtype } = imported
  const seconds = (performance.now() - start) / 1000
  out.event({ event: 'done', ...imported, seconds, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 })
  const counted = Object.entries(types).map(([name, count]) => `${count} ${name}`)
  out.say(
    `${options.out}: ${(parameters / 1e6).toFixed(1)} million parameters, ${counted.join(', ')} as ${dtype}, exact to the dequantised value`,
  )
}
