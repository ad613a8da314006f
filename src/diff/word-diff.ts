// Word diff of two texts: longest common subsequence over words, ends trimmed first. That is quadratic, so long texts are cut
// at words that each has once (patience diff, Bram Cohen), and what has no such word and is still long is not compared.

/** `only`: the other text has it not. `uncompared`: too long and too unlike to say. */
export type DiffPart = { text: string; kind: 'same' | 'only' | 'uncompared' }
export type WordDiff = { before: DiffPart[]; after: DiffPart[] }

/** Of each text; what stands behind them is uncompared. */
export const MOST_WORDS = 20_000
/** Largest table that one subsequence may need, and all of them together, in cells. */
const MOST_CELLS = 1_000_000
const MOST_CELLS_IN_ALL = 2_000_000

/** Parts of both texts in order; joined, they are the texts. */
export function wordDiff(before: string, after: string): WordDiff {
  const a = words(before)
  const b = words(after)
  const kindsA = a.map((): DiffPart['kind'] => 'uncompared')
  const kindsB = b.map((): DiffPart['kind'] => 'uncompared')
  const whole = { fromA: 0, toA: Math.min(a.length, MOST_WORDS), fromB: 0, toB: Math.min(b.length, MOST_WORDS) }
  // At the very end a word has no space after it, and is the same word.
  const compared = { a, b, bareA: a.map((word) => word.trimEnd()), bareB: b.map((word) => word.trimEnd()) }
  compare({ ...compared, kindsA, kindsB, cells: MOST_CELLS_IN_ALL }, whole)
  return { before: merge(a, kindsA), after: merge(b, kindsB) }
}

type Span = { fromA: number; toA: number; fromB: number; toB: number }
type Comparing = {
  a: string[]
  b: string[]
  bareA: string[]
  bareB: string[]
  kindsA: DiffPart['kind'][]
  kindsB: DiffPart['kind'][]
  /** That may still be filled. */
  cells: number
}

/** A word with the space after it. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? []
}

/** Says of every word of the span what it is. */
function compare(state: Comparing, { fromA, toA, fromB, toB }: Span): void {
  const { a, b, kindsA, kindsB } = state
  while (fromA < toA && fromB < toB && a[fromA] === b[fromB]) kindsA[fromA++] = kindsB[fromB++] = 'same'
  while (fromA < toA && fromB < toB && a[toA - 1] === b[toB - 1]) kindsA[--toA] = kindsB[--toB] = 'same'
  const cells = (toA - fromA + 1) * (toB - fromB + 1)
  const span = { fromA, toA, fromB, toB }
  if (cells <= Math.min(MOST_CELLS, state.cells)) {
    state.cells -= cells
    return subsequence(state, span)
  }
  const anchors = anchorsIn(state, span)
  if (anchors.length === 0) return
  for (const [atA, atB] of anchors) {
    compare(state, { fromA, toA: atA, fromB, toB: atB })
    kindsA[atA] = kindsB[atB] = 'same'
    fromA = atA + 1
    fromB = atB + 1
  }
  compare(state, { fromA, toA, fromB, toB })
}

/** One longest common subsequence; words are compared without the space after them. */
function subsequence({ bareA, bareB, kindsA, kindsB }: Comparing, { fromA, toA, fromB, toB }: Span): void {
  kindsA.fill('only', fromA, toA)
  kindsB.fill('only', fromB, toB)
  const rows = toA - fromA
  const columns = toB - fromB
  const width = columns + 1
  const longest = new Uint16Array((rows + 1) * width)
  for (let i = rows - 1; i >= 0; i--)
    for (let j = columns - 1; j >= 0; j--)
      longest[i * width + j] =
        bareA[fromA + i] === bareB[fromB + j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
  let i = 0
  let j = 0
  while (i < rows && j < columns) {
    if (bareA[fromA + i] === bareB[fromB + j]) kindsA[fromA + i++] = kindsB[fromB + j++] = 'same'
    else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++
    else j++
  }
}

/** Words that each side has once, the most of them that stand in one order: the longest rising chain of places. */
function anchorsIn({ bareA, bareB }: Comparing, { fromA, toA, fromB, toB }: Span): [number, number][] {
  const onceA = placesOfSingles(bareA, fromA, toA)
  const onceB = placesOfSingles(bareB, fromB, toB)
  const pairs = [...onceA].flatMap(([word, atA]): [number, number][] => {
    const atB = onceB.get(word)
    return atB === undefined ? [] : [[atA, atB]]
  })
  const tails: number[] = []
  const before: number[] = []
  for (const [i, [, atB]] of pairs.entries()) {
    let low = 0
    let high = tails.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (pairs[tails[middle]!]![1] < atB) low = middle + 1
      else high = middle
    }
    before[i] = low === 0 ? -1 : tails[low - 1]!
    tails[low] = i
  }
  const chain: [number, number][] = []
  for (let i = tails.at(-1) ?? -1; i >= 0; i = before[i]!) chain.push(pairs[i]!)
  return chain.reverse()
}

function placesOfSingles(all: readonly string[], from: number, to: number): Map<string, number> {
  const places = new Map<string, number>()
  const seen = new Set<string>()
  for (let i = from; i < to; i++) {
    const word = all[i]!
    if (seen.has(word)) places.delete(word)
    else places.set(word, i)
    seen.add(word)
  }
  return places
}

function merge(all: readonly string[], kinds: readonly DiffPart['kind'][]): DiffPart[] {
  const merged: DiffPart[] = []
  for (const [i, text] of all.entries()) {
    const kind = kinds[i]!
    const last = merged.at(-1)
    if (last?.kind === kind) last.text += text
    else merged.push({ text, kind })
  }
  return merged
}
