// Least certain first: a pair's rank is how far the probability that a is better lies from one half, by the answers so far, each
// worth what its author has shown, and by the margin of a reward model where the row brings one. Both are log-odds and add up.
// What nobody has answered and no model scored is as uncertain as can be.
import { posteriorOf, type Vote } from '#feedback'
import { type CampaignFacts, type Judged, listUnsettled, type Project, type Query, setRanks } from '#store'
import { pseudonymOf } from './campaign-report.ts'
import { coinsIn, type CoinsOf, votesOf } from './overlapping.ts'

/** From 0, a toss of a coin, to 0.5, certain. */
export function uncertaintyRank(margin: number | null, votes: readonly Vote[], coinsOf: CoinsOf): number {
  const probability = posteriorOf(votes, coinsOf)
  const odds = Math.log(probability / (1 - probability)) + (margin ?? 0)
  return Math.abs(1 / (1 + Math.exp(-odds)) - 0.5)
}

/** Ranks the pairs that still want answers, or one of them; nothing where the campaign has another order. */
export async function rankByUncertainty(
  query: Query,
  project: Project,
  { campaign, item }: { campaign: CampaignFacts; item?: string },
): Promise<void> {
  if (campaign.itemOrder !== 'uncertainty') return
  const { coinsOf, isNew } = await coinsIn(query, project, campaign)
  // People were measured anew: what they said elsewhere is worth something else now.
  const pairs = await listUnsettled(query, campaign.id, isNew ? undefined : item)
  await setRanks(
    query,
    pairs.map(({ id, margin, votes }: Judged) => ({
      id,
      rank: uncertaintyRank(
        margin,
        votesOf(votes, (user) => pseudonymOf(project, user)),
        coinsOf,
      ),
    })),
  )
}
