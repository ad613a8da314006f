// Adaptive overlap: whether the answers to an item settle it, by the coins of who gave them. Coins are fitted on the whole
// campaign now and then and not at every answer: a person's reliability does not change in half a minute.
import { coinsOfCrowd, decideOverlap, leaning, type Vote } from '#feedback'
import type { Choice } from '#schema'
import type { CampaignFacts, Project, Query, WantsMore } from '#store'
import { pseudonymOf, reportOn } from './campaign-report.ts'

export type CoinsOf = ReturnType<typeof coinsOfCrowd>
const FRESH_MILLISECONDS = 30_000
const MOST_KEPT = 100
const fitted = new Map<string, { at: number; coinsOf: CoinsOf }>()

export async function wantsMoreIn(query: Query, project: Project, campaign: CampaignFacts): Promise<WantsMore> {
  const { adaptive, overlap } = campaign
  const { coinsOf } = await coinsIn(query, project, campaign)
  return (votes) =>
    adaptive !== null &&
    decideOverlap({ item: '', votes: votesOf(votes, (user) => pseudonymOf(project, user)) }, coinsOf, {
      threshold: adaptive.threshold,
      least: overlap,
      cap: adaptive.cap,
    }).wantsMore
}

/** Answers to one pair as votes; `nameOf`: the annotator by whom coins are known. */
export function votesOf(
  answers: readonly { user: string; isALeft: boolean; choice: Choice }[],
  nameOf: (user: string) => string,
): Vote[] {
  return answers.map(({ user, isALeft, choice }, row) => {
    const towardsA = leaning(choice, isALeft)
    return { annotator: nameOf(user), row, isALeft, choice, ...(towardsA !== undefined && { towardsA }) }
  })
}

/** `isNew`: fitted just now. */
export async function coinsIn(
  query: Query,
  project: Project,
  campaign: CampaignFacts,
): Promise<{ coinsOf: CoinsOf; isNew: boolean }> {
  const known = fitted.get(campaign.id)
  if (known && Date.now() - known.at < FRESH_MILLISECONDS) return { coinsOf: known.coinsOf, isNew: false }
  const { items } = await reportOn(query, project, campaign)
  const coinsOf = coinsOfCrowd(items())
  if (fitted.size >= MOST_KEPT) fitted.clear()
  fitted.set(campaign.id, { at: Date.now(), coinsOf })
  return { coinsOf, isNew: true }
}
