// Leaks between splits: a training row whose group, or nearly whose prompt, is in a split that is held out.
import type { HeldOut, Reason } from './check.ts'
import { NearIndex } from './near-duplicates.ts'
import type { Kind, RowOf } from './normalise.ts'
import { type ComparedTexts, promptText } from './texts.ts'

/** Further from training is higher: a row leaks into every split above its own. */
const SPLIT_RANK: Record<string, number> = { train: 0, test: 2 }
const OTHER_SPLIT_RANK = 1
const HELD_OUT_RANK = 3

/** Finds the leaks of a row by its index. Text leaks are near-duplicate prompts at `similarity`. */
export function leakFinder(
  rows: readonly RowOf[Kind][],
  all: readonly ComparedTexts[],
  { heldOut, similarity }: { heldOut: readonly HeldOut[]; similarity: number },
): (index: number) => Reason[] {
  const ranks = [...rows.map(rankOf), ...heldOut.map(() => HELD_OUT_RANK)]
  const groups = new Map<string, number>()
  for (const [i, row] of [...rows, ...heldOut].entries()) {
    const group = groupOf(row)
    if (group !== undefined) groups.set(group, Math.max(ranks[i]!, groups.get(group) ?? 0))
  }
  const prompts = [...all.map((texts) => texts.prompt), ...heldOut.map((row) => promptText(row.prompt))]
  const above = indexesAbove(prompts, ranks, similarity)
  return (index) => {
    const found: Reason[] = []
    const group = groupOf(rows[index]!)
    if (group !== undefined && groups.get(group)! > ranks[index]!)
      found.push({ check: 'leak-group', detail: `group ${group} is held out too` })
    const close = above.get(ranks[index]!)?.find(index)
    if (close) {
      const where =
        close.other < rows.length ? `row ${close.other + 1}` : `held-out row ${close.other - rows.length + 1}`
      found.push({ check: 'leak-text', detail: `prompt ${Math.round(close.similarity * 100)}% the words of ${where}` })
    }
    return found
  }
}

/** For each rank in use, an index of the prompts of higher rank. */
function indexesAbove(prompts: string[], ranks: number[], similarity: number): Map<number, NearIndex> {
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

function groupOf(row: RowOf[Kind]): string | undefined {
  return 'group' in row ? row.group : undefined
}
