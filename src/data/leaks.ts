// Leaks between splits: a training row whose group, or nearly whose prompt, is in a split that is held out.
import type { HeldOut, Reason } from './check.ts'
import { type Grams, gramsOf } from './grams.ts'
import { NearIndex } from './near-duplicates.ts'
import type { Kind, RowOf } from './normalise.ts'
import { promptText } from './texts.ts'

/** Further from training is higher: a row leaks into every split above its own. */
const SPLIT_RANK: Record<string, number> = { train: 0, test: 2 }
const OTHER_SPLIT_RANK = 1
const HELD_OUT_RANK = 3

/** Finds the leaks of a row by its index. Text leaks are near-duplicate prompts at `similarity`. Goes through the rows more than once. */
export function leakFinder(
  rows: Iterable<RowOf[Kind]>,
  { heldOut, similarity }: { heldOut: readonly HeldOut[]; similarity: number },
): (index: number) => Reason[] {
  const ranks: number[] = []
  for (const row of rows) ranks.push(rankOf(row))
  const count = ranks.length
  for (const _ of heldOut) ranks.push(HELD_OUT_RANK)
  if (ranks.every((rank) => rank === ranks[0])) return () => []
  const every = {
    *[Symbol.iterator]() {
      yield* rows
      yield* heldOut
    },
  }
  const groups = groupsOf(every, ranks)
  const above = indexesAbove(gramsOf(promptsOf(every)), ranks, similarity)
  return (index) => {
    const found: Reason[] = []
    const group = groups.of[index]
    if (group !== undefined && groups.highest.get(group)! > ranks[index]!)
      found.push({ check: 'leak-group', detail: `group ${group} is held out too` })
    const close = above.get(ranks[index]!)?.find(index)
    if (close) {
      const isOwn = close.other < count
      const other = isOwn ? close.other : close.other - count
      found.push({
        check: 'leak-text',
        detail: `prompt ${Math.round(close.similarity * 100)}% the words of ${isOwn ? '' : 'held-out '}row ${other + 1}`,
        other,
        ...(!isOwn && { among: 'heldOut' as const }),
      })
    }
    return found
  }
}

type Groups = { of: (string | undefined)[]; highest: Map<string, number> }

/** The group of each row, and the highest rank at which each group is. */
function groupsOf(rows: Iterable<RowOf[Kind] | HeldOut>, ranks: number[]): Groups {
  const of: (string | undefined)[] = []
  const highest = new Map<string, number>()
  for (const row of rows) {
    const group = 'group' in row ? row.group : undefined
    if (group !== undefined) highest.set(group, Math.max(ranks[of.length]!, highest.get(group) ?? 0))
    of.push(group)
  }
  return { of, highest }
}

function* promptsOf(rows: Iterable<RowOf[Kind] | HeldOut>): Generator<string> {
  for (const row of rows) yield promptText(row.prompt)
}

/** For each rank in use, an index of the prompts of higher rank. */
function indexesAbove(prompts: Grams, ranks: number[], similarity: number): Map<number, NearIndex> {
  const indexes = new Map<number, NearIndex>()
  for (const rank of new Set(ranks)) {
    if (!ranks.some((other) => other > rank)) continue
    const index = new NearIndex(prompts, similarity)
    for (const [i, other] of ranks.entries()) if (other > rank) index.add(i)
    indexes.set(rank, index)
  }
  return indexes
}

function rankOf(row: RowOf[Kind]): number {
  const split = (row as { split?: unknown }).split
  return typeof split === 'string' ? (SPLIT_RANK[split] ?? OTHER_SPLIT_RANK) : 0
}
