// Perplexity on tokenised rows: exp of the mean negative log-probability a token, each completion token counting once, with
// an interval by bootstrap over groups of rows (documents, customers), since tokens of one text are not independent.
import type { Engine, Model, Sequence } from '#engine/contract'
import { DataError, EngineError } from '#errors'
import { bootstrap, deriveSeed, type Interval } from '#stats'
import { requireCapabilities } from './capabilities.ts'

/** `completion` is scored, `prompt` is context; `group` names what is resampled together. */
export type TokenRow = { prompt: Int32Array; completion: Int32Array; group?: string }
/** Summed -log p of a row's completion, nats. */
export type RowLoss = { nats: number; tokens: number; group: string }
export type Perplexity = { perplexity: Interval; natsPerToken: Interval; tokens: number; rows: number }

/** Rows given to the engine at once: it packs them as it sees fit, and progress stays interruptible. */
const ROWS_A_CALL = 256

/** Losses of all rows in their order; a row without a scored token or context is a DataError naming it. */
export async function rowLosses(
  engine: Engine,
  model: Model,
  rows: readonly TokenRow[],
  { signal }: { signal?: AbortSignal } = {},
): Promise<RowLoss[]> {
  requireCapabilities(await engine.capabilities(), { outputs: ['logprobs'] }, 'perplexity')
  const sequences = rows.map(sequenceOf)
  const losses: RowLoss[] = []
  for (let start = 0; start < rows.length; start += ROWS_A_CALL) {
    const groups = sequences.slice(start, start + ROWS_A_CALL).map((sequence) => [sequence])
    const outputs = await engine.forward(model, groups, ['logprobs'], {
      temperature: 1,
      seed: 0,
      ...(signal && { signal }),
    })
    for (const [output] of outputs) {
      const logprobs_S = output!.logprobs_S!
      let nats = 0
      for (const logprob of logprobs_S) nats -= logprob
      if (!Number.isFinite(nats))
        throw new EngineError(`row ${losses.length + 1} has a log-probability that is not finite`)
      const index = losses.length
      losses.push({ nats, tokens: logprobs_S.length, group: rows[index]!.group ?? String(index) })
    }
  }
  return losses
}

/** Mean over tokens, resampling groups. */
export function perplexityOf(
  losses: readonly RowLoss[],
  { seed, level = 0.95, resamples = 1000 }: { seed: number; level?: number; resamples?: number },
): Perplexity {
  const natsPerToken = bootstrap(losses, meanLoss, {
    seed: deriveSeed(seed, 'perplexity'),
    level,
    resamples,
    cluster: (row) => row.group,
  })
  const { value, low, high, n } = natsPerToken
  return {
    perplexity: { value: Math.exp(value), low: Math.exp(low), high: Math.exp(high), n: n! },
    natsPerToken,
    tokens: losses.reduce((sum, row) => sum + row.tokens, 0),
    rows: losses.length,
  }
}

/** Perplexity after over perplexity before on the same rows, paired: 1.06 is 6% up. */
export function perplexityRatio(
  before: readonly RowLoss[],
  after: readonly RowLoss[],
  { seed, level = 0.95, resamples = 1000 }: { seed: number; level?: number; resamples?: number },
): Interval {
  if (before.length !== after.length || before.some((row, i) => row.tokens !== after[i]!.tokens))
    throw new DataError('a perplexity ratio needs the same tokenised rows before and after')
  const pairs = before.map((row, i) => ({ before: row, after: after[i]!, group: row.group }))
  return bootstrap(
    pairs,
    (sample) => Math.exp(meanLoss(sample.map((p) => p.after)) - meanLoss(sample.map((p) => p.before))),
    { seed: deriveSeed(seed, 'perplexity-ratio'), level, resamples, cluster: (pair) => pair.group },
  )
}

/**
 * How much the model reads its prompts: loss of each completion under another row's prompt minus its own, nats a token. A model that
 * learnt from demonstrations with shuffled prompts, or too little, is near 0. Prompts move by one row; rows whose neighbour has the same prompt are left out.
 */
export async function promptGain(
  engine: Engine,
  model: Model,
  rows: readonly TokenRow[],
  { seed, level = 0.95 }: { seed: number; level?: number },
): Promise<Interval> {
  const swapped = rows.map((row, i) => ({ ...row, prompt: rows[(i + 1) % rows.length]!.prompt }))
  const kept = rows.map((row, i) => row.prompt.join(' ') !== swapped[i]!.prompt.join(' '))
  const own = await rowLosses(
    engine,
    model,
    rows.filter((_, i) => kept[i]),
  )
  const other = await rowLosses(
    engine,
    model,
    swapped.filter((_, i) => kept[i]),
  )
  const pairs = own.map((row, i) => ({ nats: other[i]!.nats - row.nats, tokens: row.tokens, group: row.group }))
  return bootstrap(pairs, meanLoss, {
    seed: deriveSeed(seed, 'prompt-gain'),
    level,
    resamples: 1000,
    cluster: (p) => p.group,
  })
}

function meanLoss(losses: readonly { nats: number; tokens: number }[]): number {
  let nats = 0
  let tokens = 0
  for (const row of losses) {
    nats += row.nats
    tokens += row.tokens
  }
  return nats / tokens
}

function sequenceOf({ prompt, completion }: TokenRow, index: number): Sequence {
  if (prompt.length === 0 || completion.length === 0)
    throw new DataError(
      `expected at least one prompt token and one completion token, got ${prompt.length} and ${completion.length}`,
      {
        line: index + 1,
      },
    )
  const tokens = new Int32Array(prompt.length + completion.length)
  tokens.set(prompt)
  tokens.set(completion, prompt.length)
  const isScored = new Uint8Array(tokens.length).fill(1, prompt.length)
  return { tokens, isScored }
}
