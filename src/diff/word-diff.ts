// Word diff of two texts: longest common subsequence over words, ends trimmed first. Quadratic, so long middles are
// given up on and shown whole: a diff of two unlike 10,000-word texts says nothing anyway.

export type DiffPart = { text: string; kind: 'same' | 'only' }
export type WordDiff = { before: DiffPart[]; after: DiffPart[] }

/** Largest table the subsequence may need, in cells. */
const MOST_CELLS = 1_000_000

/** Parts of both texts in order; `only` marks what the other text has not. Joined, the parts are the texts. */
export function wordDiff(before: string, after: string): WordDiff {
  const a = words(before)
  const b = words(after)
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start++
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++
  const middleA = a.slice(start, a.length - end)
  const middleB = b.slice(start, b.length - end)
  const [keptA, keptB] = common(middleA, middleB)
  const mark = (all: string[], kept: Set<number>): DiffPart[] =>
    merge(
      all.map((text, i) => {
        const isSame = i < start || i >= all.length - end || kept.has(i - start)
        return { text, kind: isSame ? 'same' : 'only' }
      }),
    )
  return { before: mark(a, keptA), after: mark(b, keptB) }
}

/** A word with the space after it. */
function words(text: string): string[] {
  return text.match(/\S+\s*|\s+/g) ?? []
}

/** Indices into both of one longest common subsequence; words are compared without the space after them. */
function common(a: string[], b: string[]): [Set<number>, Set<number>] {
  const keptA = new Set<number>()
  const keptB = new Set<number>()
  const width = b.length + 1
  if ((a.length + 1) * width > MOST_CELLS) return [keptA, keptB]
  const bareA = a.map((w) => w.trimEnd())
  const bareB = b.map((w) => w.trimEnd())
  const longest = new Uint32Array((a.length + 1) * width)
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        bareA[i] === bareB[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!)
  let i = 0
  let j = 0
  while (i < a.length && j < b.length) {
    if (bareA[i] === bareB[j]) {
      keptA.add(i++)
      keptB.add(j++)
    } else if (longest[(i + 1) * width + j]! >= longest[i * width + j + 1]!) i++
    else j++
  }
  return [keptA, keptB]
}

function merge(parts: DiffPart[]): DiffPart[] {
  const merged: DiffPart[] = []
  for (const part of parts) {
    const last = merged.at(-1)
    if (last?.kind === part.kind) last.text += part.text
    else merged.push({ ...part })
  }
  return merged
}
