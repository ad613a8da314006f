// Packing: groups of sequences become micro-batches of rows laid end to end, without padding. What neighbouring sequences
// begin with (a prompt and its samples, the two sides of a pair) is laid there once, as a stem that they continue. The plan depends on the
// groups and the budget alone, so that `forward` and `forwardBackward` meet the same matrix shapes and round alike.
// Legend: T = tokens of a micro-batch, N = its sequences, R = rows whose last hidden state is read, S = scored tokens.
import { EngineError } from '#errors'
import type { Sequence } from '#engine/contract'

/** Where a sequence stands in the caller's groups. */
export type Item = { group: number; index: number; sequence: Sequence }

/** One chunk is one micro-batch. More than one: a single group larger than the budget, to be done in two passes. */
export type Batch = { chunks: Item[][] }

/** Whole groups in order, as many as fit `budget` tokens; a larger group stands alone, cut between its sequences. A sequence longer than the budget is a chunk of its own. */
export function planBatches(groups: Sequence[][], budget: number): Batch[] {
  const batches: Batch[] = []
  let open: Item[] = []
  let used = 0
  const close = (): void => {
    if (open.length > 0) batches.push({ chunks: [open] })
    open = []
    used = 0
  }
  groups.forEach((sequences, group) => {
    const items = sequences.map((sequence, index) => ({ group, index, sequence }))
    const tokens = countTokens(items)
    if (used + tokens > budget) close()
    if (tokens > budget && items.length > 1) {
      batches.push({ chunks: cutChunks(items, budget) })
      return
    }
    open.push(...items)
    used += tokens
  })
  close()
  return batches
}

/** A micro-batch as index arrays. A scored token is predicted from the state one row before it. */
export type Packed = {
  tokens_T: Int32Array
  positions_T: Int32Array
  /** Tokens of the sequence that a token stands in. */
  lengths_T: Int32Array
  /** Segment n is rows offsets[n] to offsets[n + 1]: a sequence, a stem, or what is left of a sequence after its stem. */
  offsets: Int32Array
  /** The segment that segment n continues; -1 for none. */
  stems: Int32Array
  /** Ascending rows whose last hidden states are read: before each scored token, the last token, and what score heads read. */
  rows_R: Int32Array
  /** Per scored token, in order: the place in rows_R of the state before it, and the token. */
  before_S: Int32Array
  targets_S: Int32Array
  /** Scored tokens of sequence n are scoredOffsets[n] to scoredOffsets[n + 1]. */
  scoredOffsets: Int32Array
  /** Place in rows_R of each sequence's last token. */
  last_N: Int32Array
  /** Places in rows_R that score heads read, and how many belong to each sequence. */
  scoreRows: Int32Array
  scoreOffsets: Int32Array
}

/** Fewer tokens in common are not worth a segment of their own. */
const FEWEST_SHARED = 16

/** `read`: score heads read `scoreAt` ('last') or every scored token ('sum'). `shares`: neighbours' common beginnings once. */
export function pack(items: Item[], read: 'last' | 'sum', { shares }: { shares: boolean }): Packed {
  const tokens: number[] = []
  const positions: number[] = []
  const lengths: number[] = []
  const offsets = [0]
  const stems: number[] = []
  const lay = ({ tokens: all }: Sequence, o: { from: number; to: number; stem: number }): void => {
    for (let t = o.from; t < o.to; t++) {
      tokens.push(all[t]!)
      positions.push(t)
      lengths.push(all.length)
    }
    offsets.push(tokens.length)
    stems.push(o.stem)
  }
  const scoredOffsets = new Int32Array(items.length + 1)
  const scoreOffsets = new Int32Array(items.length + 1)
  const before: number[] = []
  const targets: number[] = []
  const last: number[] = []
  const scoreAt: number[] = []
  let n = 0
  for (const { count, shared } of runsOf(items, { shares })) {
    const stem = shared > 0 ? stems.length : -1
    const stemStart = tokens.length
    if (shared > 0) lay(items[n]!.sequence, { from: 0, to: shared, stem: -1 })
    for (const end = n + count; n < end; n++) {
      const { sequence } = items[n]!
      const start = tokens.length
      const length = sequence.tokens.length
      lay(sequence, { from: shared, to: length, stem })
      const rowOf = (t: number): number => (t < shared ? stemStart + t : start + t - shared)
      for (let t = 0; t < length; t++) {
        if (!sequence.isScored[t]) continue
        before.push(rowOf(t - 1))
        targets.push(sequence.tokens[t]!)
        if (read === 'sum') scoreAt.push(rowOf(t))
      }
      if (read === 'last') for (const t of sequence.scoreAt ?? [length - 1]) scoreAt.push(rowOf(t))
      last.push(rowOf(length - 1))
      scoredOffsets[n + 1] = before.length
      scoreOffsets[n + 1] = scoreAt.length
    }
  }
  const T = tokens.length
  const isRead_T = new Uint8Array(T)
  for (const list of [before, last, scoreAt]) for (const row of list) isRead_T[row] = 1
  const place_T = new Int32Array(T)
  let R = 0
  for (let t = 0; t < T; t++) {
    place_T[t] = R
    R += isRead_T[t]!
  }
  const rows_R = new Int32Array(R)
  for (let t = 0; t < T; t++) if (isRead_T[t]) rows_R[place_T[t]!] = t
  const placesOf = (rows: number[]): Int32Array => Int32Array.from(rows, (row) => place_T[row]!)
  return {
    tokens_T: Int32Array.from(tokens),
    positions_T: Int32Array.from(positions),
    lengths_T: Int32Array.from(lengths),
    offsets: Int32Array.from(offsets),
    stems: Int32Array.from(stems),
    rows_R,
    before_S: placesOf(before),
    targets_S: Int32Array.from(targets),
    scoredOffsets,
    last_N: placesOf(last),
    scoreRows: placesOf(scoreAt),
    scoreOffsets,
  }
}

/** Neighbours in runs, each with the number of first tokens that all of it share; a run grows while that spares tokens. */
function runsOf(items: Item[], { shares }: { shares: boolean }): { count: number; shared: number }[] {
  const runs: { count: number; shared: number }[] = []
  let first = 0
  let open: { count: number; shared: number } | undefined
  items.forEach(({ sequence }, n) => {
    if (open && shares) {
      const shared = commonStart(items[first]!.sequence, sequence, open.count === 1 ? Infinity : open.shared)
      if (shared >= FEWEST_SHARED && shared * open.count > open.shared * (open.count - 1)) {
        open.shared = shared
        open.count++
        return
      }
    }
    first = n
    runs.push((open = { count: 1, shared: 0 }))
  })
  return runs
}

/** First tokens that two sequences have in common and score in neither, at most `most`; each keeps a token of its own. */
function commonStart(a: Sequence, b: Sequence, most: number): number {
  const end = Math.min(most, a.tokens.length - 1, b.tokens.length - 1)
  let t = 0
  while (t < end && a.tokens[t] === b.tokens[t] && !a.isScored[t] && !b.isScored[t]) t++
  return t
}

/** Refuses what no pass can answer, naming group and sequence: empty, unequal lengths, tokens outside the vocabulary, longer than the model reads, a scored first token, scoreAt outside. */
export function checkSequences(groups: Sequence[][], o: { vocabulary: number; maxTokens: number }): void {
  groups.forEach((sequences, g) => {
    sequences.forEach(({ tokens, isScored, scoreAt }, i) => {
      const fail = (what: string): never => {
        throw new EngineError(`sequence ${i} of group ${g}: ${what}`)
      }
      if (tokens.length === 0) fail('expected at least one token, got none')
      if (tokens.length > o.maxTokens) fail(`${tokens.length} tokens, but the model reads at most ${o.maxTokens}`)
      if (isScored.length !== tokens.length)
        fail(`isScored has ${isScored.length} entries for ${tokens.length} tokens; one for each is expected`)
      if (isScored[0]) fail('its first token is scored, but nothing comes before it to predict it from')
      for (const token of tokens)
        if (token < 0 || token >= o.vocabulary) fail(`token ${token} is outside the vocabulary of ${o.vocabulary}`)
      for (const t of scoreAt ?? [])
        if (!(t >= 0 && t < tokens.length)) fail(`scoreAt ${t} is outside its ${tokens.length} tokens`)
    })
  })
}

function countTokens(items: Item[]): number {
  return items.reduce((sum, { sequence }) => sum + sequence.tokens.length, 0)
}

function cutChunks(items: Item[], budget: number): Item[][] {
  const chunks: Item[][] = [[]]
  let used = 0
  for (const item of items) {
    const tokens = item.sequence.tokens.length
    if (used > 0 && used + tokens > budget) {
      chunks.push([])
      used = 0
    }
    chunks.at(-1)!.push(item)
    used += tokens
  }
  return chunks
}
