// Items on which people disagree so that somebody has to settle them: the answers differ and the posterior of their authors'
// coins does not pass the threshold, or most could not judge. An item on which everybody says the same is not disputed,
// however few they are.
import { knownOf } from './adjudicated.ts'
import type { Item } from './items.ts'
import { fitCoins } from './two-coin.ts'

export type Dispute = {
  item: string
  because: 'split' | 'cannot judge'
  /** P(a is better). */
  probability: number
}

/** The least certain first. Settled items are not asked about, nor are gold ones; they tell of their voters. */
export function findDisputes(items: readonly Item[], { threshold = 0.9 }: { threshold?: number } = {}): Dispute[] {
  const known = knownOf(items)
  const open = items.filter(({ adjudication, gold }) => !adjudication && gold === undefined)
  const { posterior } = fitCoins(open, 'two-coin', known && { known })
  return open
    .flatMap(({ item, votes }, i): Dispute[] => {
      const probability = posterior[i]!
      const said = votes.flatMap(({ towardsA }) => towardsA ?? [])
      if (votes.length > 0 && 2 * said.length < votes.length) return [{ item, because: 'cannot judge', probability }]
      const isSplit = new Set(said).size > 1 && Math.max(probability, 1 - probability) < threshold
      return isSplit ? [{ item, because: 'split', probability }] : []
    })
    .sort((x, y) => Math.abs(x.probability - 0.5) - Math.abs(y.probability - 0.5))
}
