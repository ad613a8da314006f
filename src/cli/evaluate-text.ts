// Perplexity of given texts, and graded completions: statistics of a language model on the rows of a file.
import {
  atLevels,
  distinctN,
  type Grade,
  graderOf,
  type GraderSpec,
  gradeRows,
  meanScore,
  perplexityOf,
  rowLosses,
  type TokenRow,
} from '#evaluate'
import { holdsTexts, readRows, readTexts } from '#data'
import { ConfigError, DataError } from '#errors'
import type { Completion, Drawing } from '#sampler'
import type { Prompt } from '#schema'
import { average, boundedMean, deriveSeed, type Interval, tQuantile } from '#stats'
import { demonstrationExamples, textExamples } from '#trainer'
import { drawCompletions, type OpenModel } from './completions.ts'
import { progressLine } from './generate.ts'
import type { Output } from './output.ts'
import { Stopped } from './stop.ts'

export type Measured = { statistics: Record<string, unknown>; rows: number }
/** `levels`: of the intervals that are shown, then those that are kept beside. */
export type Asked = { file: string; levels: number[]; seed: number; signal: AbortSignal; out: Output }

/** Of demonstrations (completions are scored) or of text rows (all but their first token is). */
export async function measurePerplexity(
  opened: OpenModel,
  { file, levels, seed, signal, out }: Asked,
): Promise<Measured> {
  const rows = (await holdsTexts(file)) ? await textRows(opened, file) : await demonstrationRows(opened, file, out)
  try {
    const losses = await rowLosses(opened.engine, opened.model, rows, { signal })
    return { rows: rows.length, statistics: atLevels(levels, (level) => perplexityOf(losses, { seed, level })) }
  } catch (error) {
    if (signal.aborted) throw new Stopped('stopped; nothing was written', { cause: error })
    throw error
  }
}

async function textRows({ tokenizer, maxTokens }: OpenModel, file: string): Promise<TokenRow[]> {
  const rows = textExamples(tokenizer, await readTexts(file))
  const long = rows.find(({ prompt, completion }) => prompt.length + completion.length > maxTokens)
  if (long)
    throw new DataError(
      `expected texts of at most the model's ${maxTokens} tokens, got one of ${long.prompt.length + long.completion.length}: cut it`,
      { file },
    )
  if (rows.length === 0) throw new DataError('expected at least one text of two tokens, got none', { file })
  return rows
}

async function demonstrationRows({ tokenizer, maxTokens }: OpenModel, file: string, out: Output): Promise<TokenRow[]> {
  const { rows: given } = await readRows(file, { kind: 'demonstrations' })
  const { rows, setAside } = await demonstrationExamples(tokenizer, given, { maxTokens })
  const first = setAside[0]
  if (rows.length === 0) throw new DataError(`expected at least one usable row: row 1 ${first?.reason}`, { file })
  if (first) out.say(`${setAside.length} of ${given.length} rows are set aside; row ${first.row + 1} ${first.reason}`)
  const isAside = new Set(setAside.map(({ row }) => row))
  const groups = given.filter((_, i) => !isAside.has(i)).map(({ group }) => group)
  return rows.map((row, i) => ({ ...row, ...(groups[i] !== undefined && { group: groups[i] }) }))
}

export type GradedLine = { id?: string; prompt: Prompt; reference?: string; score?: number } & Completion

/** Draws completions of the file's prompts and grades them; `lines` are for people to read. Samples of one prompt, and rows of one group, are resampled together. */
export async function measureCompletions(
  opened: OpenModel,
  {
    file,
    levels,
    seed,
    signal,
    out,
    spec,
    drawing,
  }: Asked & { spec: GraderSpec | { metric: 'distinct' }; drawing: Drawing },
): Promise<Measured & { lines: GradedLine[] }> {
  const { metric } = spec
  const suite = await readSuite(file, { needsReference: ['exact', 'contains', 'numeric'].includes(metric) })
  const grade: Grade | undefined = spec.metric === 'distinct' ? undefined : graderOf(spec)
  const drawn = await drawAll(
    opened,
    suite.map(({ prompt }) => prompt),
    { drawing, signal, out },
  )
  const graded = drawn.map(({ row, ...completion }) => {
    const { id, reference, group = `row ${row + 1}` } = suite[row]!
    return { id, reference, group, prompt: suite[row]!.prompt, completion }
  })
  const clusters = graded.map(({ group }) => group)
  const texts = graded.map(({ completion }) => completion.completion)
  const scores =
    grade &&
    gradeRows(
      graded.map(({ reference, completion }) => ({
        completion: completion.completion,
        ...(reference !== undefined && { reference }),
      })),
      grade,
      { seed },
    ).scores
  const finished = graded.map(({ completion }) => Number(completion.finished))
  const tokens = graded.map(({ completion }) => completion.tokens)
  return {
    rows: suite.length,
    statistics: atLevels(levels, (level) => {
      const options = (name: string) => ({ seed: deriveSeed(seed, name), level, clusters })
      return {
        ...(scores ? { [metric]: meanScore(scores, options(metric)) } : distinctStatistics(texts, { clusters, level })),
        finished: meanScore(finished, options('finished')),
        tokens: boundedMean(tokens, { ...options('tokens'), bounds: [0, drawing.maxTokens] }),
      }
    }),
    lines: graded.map(({ id, prompt, reference, completion }, i) => ({
      ...(id !== undefined && { id }),
      prompt,
      ...(reference !== undefined && { reference }),
      ...completion,
      ...(scores && { score: scores[i]! }),
    })),
  }
}

type SuiteRow = { id?: string | undefined; group?: string | undefined; prompt: Prompt; reference?: string | undefined }

/** Rows {prompt, reference}, or demonstrations, whose completion is the reference; bare prompts where none is needed. */
async function readSuite(file: string, { needsReference }: { needsReference: boolean }): Promise<SuiteRow[]> {
  if (!needsReference) return (await readRows(file, { kind: 'prompts' })).rows
  const { rows } = await readRows(file, { kind: 'prompts' })
  const referenced = rows.map(({ id, group, prompt, ...more }) => {
    const reference = (more as { reference?: unknown }).reference
    return { id, group, prompt, reference: typeof reference === 'string' ? reference : undefined }
  })
  if (referenced.every(({ reference }) => reference !== undefined)) return referenced
  const { rows: demonstrations } = await readRows(file, { kind: 'demonstrations' })
  return demonstrations.map(({ id, group, prompt, completion }) => ({ id, group, prompt, reference: completion }))
}

/** All completions in the order of prompts and samples. Ctrl-C is a Stopped. */
export async function drawAll(
  opened: OpenModel,
  prompts: Prompt[],
  { drawing, signal, out, showSpecial }: { drawing: Drawing; signal: AbortSignal; out: Output; showSpecial?: boolean },
): Promise<(Completion & { row: number })[]> {
  const of = prompts.length * drawing.n
  const drawn: (Completion & { row: number })[] = []
  const places: number[] = []
  const start = performance.now()
  let tokens = 0
  for await (const { row, sample, done } of drawCompletions(opened, prompts, {
    drawing,
    signal,
    ...(showSpecial && { showSpecial }),
  })) {
    if (!done) continue
    places.push(row * drawing.n + sample)
    drawn.push({ row, ...done })
    tokens += done.tokens
    out.progress(progressLine({ done: drawn.length, of, tokens, seconds: (performance.now() - start) / 1000 }))
  }
  out.endProgress()
  if (signal.aborted) throw new Stopped(`stopped after ${drawn.length} of ${of} completions; nothing was written`)
  const ordered = Array.from({ length: of }, () => drawn[0]!)
  drawn.forEach((completion, i) => (ordered[places[i]!] = completion))
  return ordered
}

/** Jackknife blocks: enough for an interval, few enough to be quick. */
const MOST_BLOCKS = 50
const LEAST_BLOCKS = 3

/**
 * Share of different n-grams, with a jackknife interval over blocks of clusters: a bootstrap would draw the same
 * completion twice and take it for repetition.
 */
function distinctStatistics(
  texts: string[],
  { clusters, level }: { clusters: string[]; level: number },
): { distinct1: Interval; distinct2: Interval } {
  const names = [...new Set(clusters)]
  if (names.length < LEAST_BLOCKS)
    throw new ConfigError(`--metric distinct needs prompts of at least ${LEAST_BLOCKS} groups, got ${names.length}`)
  const count = Math.min(MOST_BLOCKS, names.length)
  const blockOf = new Map(names.map((name, i) => [name, i % count]))
  const interval = (n: number): Interval => {
    const value = distinctN(texts, n)
    const left = Array.from({ length: count }, (_, block) =>
      distinctN(
        texts.filter((_, i) => blockOf.get(clusters[i]!) !== block),
        n,
      ),
    )
    const centre = average(left)
    const error = Math.sqrt(((count - 1) / count) * left.reduce((sum, x) => sum + (x - centre) ** 2, 0))
    const half = -tQuantile((1 - level) / 2, count - 1) * error
    return { value, low: Math.max(0, value - half), high: Math.min(1, value + half), n: names.length }
  }
  return { distinct1: interval(1), distinct2: interval(2) }
}
