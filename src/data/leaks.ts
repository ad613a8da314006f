// Leaks between splits: a training row whose group, or nearly whose prompt, is in a split that is held out.
import type { HeldOut, Reason } from './check.ts'
import { NearIndex, signatureOf } from './near-duplicates.ts'
import type { Kind, RowOf } from './normalise.ts'
import { type ComparedTexts, promptText } from './texts.ts'

/** Further from training is higher: a row leaks into every split above its own. */
const SPLIT_RANK: Record<string, number> = { train: 0, test: 2 }
const HELD_OUT_RANK = 3

/** Finds the leaks of a row by its index. Text leaks are near-duplicate prompts at `similarity`. */
export function leakFinder(
  rows: readonly RowOf[Kind][],
  all: readonly ComparedTexts[],
  { heldOut = [], similarity }: { heldOut?: readonly HeldOut[]; similarity: number },
): (index: number) => Reason[] {
  const rankOf = (row: RowOf[Kind]) => {
    const split = (row as { split?: unknown }).split
    return typeof split === 'string' ? (SPLIT_RANK[split] ?? 1) : 0
  }
  const ranks = rows.map(rankOf)
  const groups = new Map<string, number>()
  const indexes = [1, 2, HELD_OUT_RANK].map((rank) => ({ rank, near: new NearIndex(similarity) }))
  const add = (row: { group?: string | undefined }, prompt: string, place: { rank: number; number: number }) => {
    if (row.group !== undefined) groups.set(row.group, Math.max(place.rank, groups.get(row.group) ?? 0))
    indexes.find(({ rank }) => rank === place.rank)!.near.add(signatureOf(prompt), place.number)
  }
  for (const [i, row] of rows.entries())
    if (ranks[i]! > 0) add(row as HeldOut, all[i]!.prompt, { rank: ranks[i]!, number: i })
  for (const [i, row] of heldOut.entries()) add(row, promptText(row.prompt), { rank: HELD_OUT_RANK, number: i })
  return (index) => {
    const { group } = rows[index] as HeldOut
    const found: Reason[] = []
    if (group !== undefined && (groups.get(group) ?? 0) > ranks[index]!)
      found.push({ check: 'leak-group', detail: `group ${group} is held out too` })
    const signature = signatureOf(all[index]!.prompt)
    for (const { rank, near } of indexes) {
      const close = rank > ranks[index]! ? near.find(signature) : undefined
      if (!close) continue
      const where = rank === HELD_OUT_RANK ? 'held-out row' : 'row'
      found.push({
        check: 'leak-text',
        detail: `prompt ${Math.round(close.similarity * 100)}% the words of ${where} ${close.other + 1}`,
      })
      break
    }
    return found
  }
}
