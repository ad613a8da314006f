// Adaptive overlap: whether the answers to an item settle it, by the coins of who gave them. Coins are fitted on the whole
// campaign now and then and not at every answer: a person's reliability does not change in half a minute.
import { coinsOfCrowd, decideOverlap, leaning } from '#feedback'
import type { CampaignFacts, Project, Query, WantsMore } from '#store'
import { pseudonymOf, reportOn } from './campaign-report.ts'

type CoinsOf = ReturnType<typeof coinsOfCrowd>
const FRESH_MILLISECONDS = 30_000
const MOST_KEPT = 100
const fitted = new Map<string, { at: number; coinsOf: CoinsOf }>()

export async function wantsMoreIn(query: Query, project: Project, campaign: CampaignFacts): Promise<WantsMore> {
  const { adaptive, overlap } = campaign
  const coinsOf = await coinsIn(query, project, campaign)
  return (votes) =>
    adaptive !== null &&
    decideOverlap(
      {
        item: '',
        votes: votes.map(({ user, isALeft, choice }, row) => {
          const towardsA = leaning(choice, isALeft)
          return {
            annotator: pseudonymOf(project, user),
            row,
            isALeft,
            choice,
            ...(towardsA !== undefined && { towardsA }),
          }
        }),
      },
      coinsOf,
      { threshold: adaptive.threshold, least: overlap, cap: adaptive.cap },
    ).wantsMore
}

async function coinsIn(query: Query, project: Project, campaign: CampaignFacts): Promise<CoinsOf> {
  const known = fitted.get(campaign.id)
  if (known && Date.now() - known.at < FRESH_MILLISECONDS) return known.coinsOf
  const { items } = await reportOn(query, project, campaign)
  const coinsOf = coinsOfCrowd(items())
  if (fitted.size >= MOST_KEPT) fitted.clear()
  fitted.set(campaign.id, { at: Date.now(), coinsOf })
  return coinsOf
}
