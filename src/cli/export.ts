// hone export: a model for other programs, as a folder (transformers, vLLM) or as a GGUF file (llama.cpp).
import { ConfigError } from '#errors'
import { EXPORT_DTYPES, exportFolder, exportGguf, GGUF_TYPES } from '#lm'
import { resolveModel } from '#trainer'
import type { Command } from 'commander'
import { output } from './output.ts'

type Options = { out: string; gguf?: string; dtype?: string; json?: boolean }

export function exportCommand(program: Command): void {
  program
    .command('export')
    .description('a model for other programs: a folder for transformers and vLLM, or a GGUF file for llama.cpp')
    .argument('<model>', 'folder, run, or base, the bundled one')
    .requiredOption(
      '--out <folder|file>',
      'new folder, or with --gguf a file that ends in .gguf; written whole or not at all',
    )
    .option(`--gguf <${GGUF_TYPES.join('|')}>`, 'write a GGUF file with matrices of this type, vectors in F32')
    .option(`--dtype <${EXPORT_DTYPES.join('|')}>`, "dtype of a folder's weights (default: as they are)")
    .option('--json', 'events as JSON lines on standard output')
    .action(exportModel)
}

function exportModel(model: string, options: Options): void {
  const out = output(options)
  const type = choice('--gguf', options.gguf, GGUF_TYPES)
  const dtype = choice('--dtype', options.dtype, EXPORT_DTYPES)
  if (type !== undefined && dtype !== undefined)
    throw new ConfigError('--dtype would be ignored: --gguf says the type of a GGUF file')
  if ((type !== undefined) !== options.out.endsWith('.gguf'))
    throw new ConfigError(
      `--out: expected ${type === undefined ? 'a folder; give --gguf for a GGUF file' : 'a file that ends in .gguf'}, got ${options.out}`,
    )
  const common = {
    folder: resolveModel(model, 'model'),
    to: options.out,
    onTensor: (done: number, of: number) => out.progress(`tensor ${done + 1}/${of}`),
  }
  const start = performance.now()
  if (type === undefined) {
    const exported = exportFolder({ ...common, ...(dtype !== undefined && { dtype }) })
    out.event({ event: 'done', ...exported, seconds: (performance.now() - start) / 1000 })
    out.say(`${options.out}: ${exported.files.length} files`)
    return
  }
  const exported = exportGguf({ ...common, type })
  out.event({ event: 'done', ...exported, seconds: (performance.now() - start) / 1000 })
  out.say(`${options.out}: ${(exported.bytes / 1e6).toFixed(1)} MB`)
  if (exported.fallbacks.length > 0)
    out.say(
      `${exported.fallbacks.length} matrices are F16, their rows are no whole blocks of ${type}: ${exported.fallbacks.slice(0, 3).join(', ')}, ...`,
    )
}

function choice<T extends string>(flag: string, given: string | undefined, choices: readonly T[]): T | undefined {
  const found = choices.find((c) => c === given)
  if (given !== undefined && found === undefined)
    throw new ConfigError(`${flag}: expected ${choices.join(', ')}, got ${given}`)
  return found
}
