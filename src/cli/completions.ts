// Completions of prompts by the model of a command, and the flags that say how they are drawn: what generate, chat and
// evaluate share.
import { ConfigError, DataError } from '#errors'
import type { Engine, Model } from '#engine/contract'
import { readJsonFile } from '#lineage'
import { createEmbeddedEngine, readConfig } from '#lm'
import { type Answering, type Drawing, drawRows, type Piece } from '#sampler'
import type { Prompt } from '#schema'
import { compileJsonSchema, type JsonGrammar, loadTokenizer, type Tokenizer } from '#text'
import { resolveModel } from '#trainer'
import type { Command } from 'commander'
import { numberOf } from './data-source.ts'
import { readDtype } from './dtype.ts'
import { kebab } from './flags.ts'

export type OpenModel = { folder: string; engine: Engine; model: Model; tokenizer: Tokenizer; maxTokens: number }

type Opened = { name: string; device: string; dtype?: string; flag?: string; kind?: 'language' | 'reward' }

/** Opens `--model` to answer, and closes it whatever `use` does. */
export async function withModel<T>(
  { name, device, dtype, flag = '--model', kind = flag === '--reward' ? 'reward' : 'language' }: Opened,
  use: (opened: OpenModel) => Promise<T>,
): Promise<T> {
  const folder = resolveModel(name, flag)
  const { architecture, maxPositionEmbeddings: maxTokens } = readConfig(folder)
  if (architecture.endsWith('ForSequenceClassification') !== (kind === 'reward'))
    throw new ConfigError(`${flag}: expected a ${kind} model, got ${architecture} in ${folder}`)
  const tokenizer = loadTokenizer(folder)
  const engine = createEmbeddedEngine({ device, precision: readDtype(dtype, device) })
  const model = await engine.load({ from: { weights: folder }, trains: 'nothing' })
  try {
    return await use({ folder, engine, model, tokenizer, maxTokens })
  } finally {
    await engine.release(model)
  }
}

/** What Commander makes of the flags. */
export type DrawingOptions = Partial<Record<Exclude<keyof Drawing, 'stop'>, string>> & { stop?: string[] }

const MOST_NEW_TOKENS = '256'

export const N_FLAG = ['--n <n>', 'completions of each prompt (default: 1)'] as const

/** Flags that `readDrawing` reads. None has a value unless it is given, so that one that would be ignored can be refused. */
export function addDrawingFlags(command: Command, { temperature }: { temperature: number }): Command {
  return command
    .option(
      '--max-tokens <n>',
      `most tokens of a completion, as far as they fit the model (default: ${MOST_NEW_TOKENS})`,
    )
    .option('--temperature <t>', `0 takes the likeliest token (default: ${temperature})`)
    .option('--top-p <share>', 'draw from the likeliest tokens that hold this share (default: 1)')
    .option('--top-k <k>', 'draw from so many likeliest tokens; 0 for all (default: 0)')
    .option('--min-p <share>', 'draw from tokens at least this share as likely as the likeliest (default: 0)')
    .option(
      '--repetition-penalty <factor>',
      'above 1, what prompt or completion holds already is less likely to come again (default: 1)',
    )
    .option(
      '--stop <text>',
      'the completion ends before this text; may be given several times',
      (text: string, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option('--seed <n>', 'all draws follow from it (default: 0)')
}

export function readDrawing(options: DrawingOptions, defaults: { temperature: number }): Drawing {
  const drawing: Drawing = {
    maxTokens: numberOf('--max-tokens', options.maxTokens ?? MOST_NEW_TOKENS, { low: 1, isWhole: true }),
    temperature: numberOf('--temperature', options.temperature ?? String(defaults.temperature), { low: 0 }),
    topP: numberOf('--top-p', options.topP ?? '1', { low: Number.MIN_VALUE, high: 1 }),
    topK: numberOf('--top-k', options.topK ?? '0', { low: 0, isWhole: true }),
    minP: numberOf('--min-p', options.minP ?? '0', { low: 0, high: 1 - Number.EPSILON }),
    repetitionPenalty: numberOf('--repetition-penalty', options.repetitionPenalty ?? '1', { low: Number.MIN_VALUE }),
    stop: options.stop ?? [],
    n: numberOf('--n', options.n ?? '1', { low: 1, isWhole: true }),
    seed: numberOf('--seed', options.seed ?? '0', { low: 0, isWhole: true }),
  }
  if (drawing.stop.includes('')) throw new ConfigError('--stop: expected some text, got none')
  const ignored = (['topP', 'topK', 'minP', 'seed', 'n'] as const).find((key) => options[key] !== undefined)
  if (drawing.temperature === 0 && ignored !== undefined)
    throw new ConfigError(`--${kebab(ignored)} would be ignored at temperature 0: nothing is drawn`)
  return drawing
}

export const JSON_SCHEMA_FLAG = [
  '--json-schema <file>',
  'completions are JSON that fits this schema (2020-12), and whole within --max-tokens',
] as const

/** The grammar of `--json-schema`. A keyword that it does not have is refused by name. */
export function readGrammar({
  jsonSchema: file,
  stop,
}: {
  jsonSchema?: string
  stop?: string[]
}): JsonGrammar | undefined {
  if (file === undefined) return undefined
  if (stop !== undefined) throw new ConfigError('--stop would cut what --json-schema promises to be whole: give one')
  const schema = readJsonFile(file)
  try {
    return compileJsonSchema(schema)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    throw new ConfigError(`--json-schema ${file}: ${error.message}`, { cause: error })
  }
}

/** Pieces of all completions, in the order in which they come. Ends early, without a word, when `signal` is aborted. */
export function drawCompletions(
  { engine, model, tokenizer, maxTokens }: OpenModel,
  prompts: readonly Prompt[],
  o: { drawing: Drawing; grammar?: JsonGrammar | undefined; signal?: AbortSignal; showSpecial?: boolean },
): AsyncGenerator<Piece> {
  const sample: Answering['sample'] = (requests, signal) => engine.sample(model, requests, signal ? { signal } : {})
  const rows = prompts.map((prompt, row) => ({ row, prompt }))
  return drawRows({ tokenizer, maxTokens, sample }, rows, o)
}
