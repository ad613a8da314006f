// hone generate: prompts in, completions out. With --out whole and durable, or not at all; else text as it comes.
import { ConfigError } from '#errors'
import { readRows } from '#data'
import { writeDurable } from '#files'
import type { Completion, Drawing } from '#sampler'
import type { PromptRow } from '#schema'
import type { JsonGrammar } from '#text'
import type { Command } from 'commander'
import {
  addDrawingFlags,
  drawCompletions,
  type DrawingOptions,
  JSON_SCHEMA_FLAG,
  N_FLAG,
  type OpenModel,
  readDrawing,
  readGrammar,
  withModel,
} from './completions.ts'
import { type Common, isFile, readSource } from './data-source.ts'
import { DTYPE_FLAG } from './dtype.ts'
import { duration, figure, type Output, output } from './output.ts'
import { Stopped, stoppable } from './stop.ts'

type Options = Common & {
  model: string
  prompt?: string
  prompts?: string
  out?: string
  jsonSchema?: string
  device: string
  dtype?: string
} & DrawingOptions

/** A line of the file that --out names. `sample` counts from 1 where a prompt has several. */
type Line = Pick<PromptRow, 'id' | 'group' | 'stratum' | 'prompt'> & { sample?: number } & Completion

export function generateCommand(program: Command): void {
  const command = program
    .command('generate')
    .description('completions of prompts, by any checkpoint or Hugging Face folder')
    .requiredOption('--model <model>', 'folder, run, or base, the bundled one')
    .option('--prompt <text>', 'one prompt, joined to its completion as it is')
    .option('--prompts <source>', 'file (JSONL, JSON, CSV, gzip) or version of rows that have a prompt')
    .option('--out <file>', 'JSONL of {id, prompt, completion, finished, logprob, tokens}; written whole or not at all')
    .option(...N_FLAG)
    .option('--device <device>', 'cpu, or cuda:0', 'cpu')
    .option(...DTYPE_FLAG)
    .option('--dir <folder>', 'workspace of the version (default: the one around this folder)')
    .option('--json', 'events as JSON lines on standard output')
  addDrawingFlags(command, { temperature: 1 })
    .option(...JSON_SCHEMA_FLAG)
    .action(generate)
}

async function generate(options: Options): Promise<void> {
  const out = output(options)
  const drawing = readDrawing(options, { temperature: 1 })
  const grammar = readGrammar(options)
  if (options.out !== undefined && !options.out.endsWith('.jsonl'))
    throw new ConfigError(`--out: expected a file that ends in .jsonl, got ${options.out}`)
  const rows = await rowsOf(options)
  await stoppable((signal) =>
    withModel(
      { name: options.model, device: options.device, ...(options.dtype && { dtype: options.dtype }) },
      (opened) =>
        draw(opened, rows, { drawing, grammar, signal, out, ...(options.out !== undefined && { file: options.out }) }),
    ),
  )
}

async function rowsOf(options: Options): Promise<PromptRow[]> {
  const { prompt, prompts } = options
  if ((prompt === undefined) === (prompts === undefined))
    throw new ConfigError(`expected --prompt TEXT or --prompts FILE, got ${prompt === undefined ? 'neither' : 'both'}`)
  return prompt === undefined ? readPromptRows(prompts!, options) : [{ prompt }]
}

/** Rows with a prompt, of a file or of a version of any kind that has prompts. Fields of no schema stay. */
export async function readPromptRows(source: string, options: Common): Promise<PromptRow[]> {
  if (isFile(source)) return (await readRows(source, { kind: 'prompts' })).rows
  const { rows, kind } = await readSource(source, options)
  return rows.map((row) => {
    if (kind === 'judgements' || row.prompt === undefined)
      throw new ConfigError(`expected rows with prompts, ${source} holds ${kind}`)
    return row as PromptRow
  })
}

async function draw(
  opened: OpenModel,
  rows: PromptRow[],
  {
    drawing,
    grammar,
    signal,
    out,
    file,
  }: { drawing: Drawing; grammar: JsonGrammar | undefined; signal: AbortSignal; out: Output; file?: string },
): Promise<void> {
  const { n } = drawing
  const of = rows.length * n
  const lines: (Line | undefined)[] = Array.from({ length: of })
  const printed = file === undefined && !out.json ? inOrder(of) : undefined
  const start = performance.now()
  const elapsed = () => (performance.now() - start) / 1000
  let done = 0
  let tokens = 0
  const prompts = rows.map((row) => row.prompt)
  for await (const { row, sample, text, done: completion } of drawCompletions(opened, prompts, {
    drawing,
    grammar,
    signal,
  })) {
    const place = row * n + sample
    printed?.(place, text, completion !== undefined)
    if (!completion) continue
    done++
    tokens += completion.tokens
    const line: Line = { ...placeOf(rows[row]!), ...(n > 1 && { sample: sample + 1 }), ...completion }
    if (file === undefined) out.event({ event: 'completion', ...line })
    else lines[place] = line
    if (!printed) out.progress(progressLine({ done, of, tokens, seconds: elapsed() }))
  }
  out.endProgress()
  if (signal.aborted)
    throw new Stopped(
      `stopped after ${done} of ${of} completions${file === undefined ? '' : `; ${file} was not written`}`,
    )
  const written =
    file === undefined ? undefined : writeDurable(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  const seconds = elapsed()
  const speed = { seconds, tokensPerSecond: tokens / seconds }
  const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
  out.event({ event: 'done', completions: of, tokens, ...speed, peakMemoryBytes, ...(written && { file, ...written }) })
  if (file !== undefined) out.say(`${of} completions in ${file}, ${figure(tokens / seconds)} tokens/s`)
}

function placeOf({ id, group, stratum, prompt }: PromptRow): Pick<Line, 'id' | 'group' | 'stratum' | 'prompt'> {
  return {
    ...(id !== undefined && { id }),
    ...(group !== undefined && { group }),
    ...(stratum !== undefined && { stratum }),
    prompt,
  }
}

/** Prints completions one after the other as they come: the first that is not whole streams, the others wait. */
function inOrder(count: number): (place: number, text: string, isWhole: boolean) => void {
  const held = Array.from({ length: count }, () => ({ text: '', isWhole: false }))
  let next = 0
  return (place, text, isWhole) => {
    const part = held[place]!
    part.text += text
    part.isWhole = isWhole
    while (next < count) {
      const current = held[next]!
      process.stdout.write(current.text)
      current.text = ''
      if (!current.isWhole) return
      next++
      process.stdout.write(next < count ? '\n\n' : '\n')
    }
  }
}

export function progressLine({
  done,
  of,
  tokens,
  seconds,
}: {
  done: number
  of: number
  tokens: number
  seconds: number
}): string {
  const left = duration((seconds / done) * (of - done))
  return `${done}/${of} completions  ${figure(tokens / seconds)} tokens/s  ${left} left`
}
