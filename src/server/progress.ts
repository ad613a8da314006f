// How far a campaign is, as everybody at work in it sees beside each task. To count is to look at each of its items, and an
// answer comes every few milliseconds: so it is counted once a second, and answers in between are added.
import { type CampaignFacts, countTotals, type Query, type Totals } from '#store'

const FRESH_MILLISECONDS = 1000
const MOST_KEPT = 200

/** By store: tests open several. */
const kept = new WeakMap<Query, Map<string, { at: number; totals: Totals }>>()

/** Gold, qualification, adaptive overlap and calibration change what counts by rules of their own: there it is counted each time. */
const isPlain = ({ qualification, adaptive, goldRate, isCalibration }: CampaignFacts, { goldItems }: Totals): boolean =>
  !isCalibration && qualification === null && adaptive === null && goldRate === 0 && goldItems === 0

export async function progressIn(query: Query, campaign: CampaignFacts): Promise<Totals> {
  const own = kept.get(query) ?? new Map<string, { at: number; totals: Totals }>()
  kept.set(query, own)
  const known = own.get(campaign.id)
  if (known && performance.now() - known.at < FRESH_MILLISECONDS && isPlain(campaign, known.totals)) return known.totals
  const at = performance.now()
  const totals = await countTotals(query, campaign.id)
  if (own.size >= MOST_KEPT) own.clear()
  own.set(campaign.id, { at, totals })
  return totals
}

/** An answer that counted. */
export function addAnswer(query: Query, campaign: string): void {
  const known = kept.get(query)?.get(campaign)
  if (known) known.totals = { ...known.totals, judged: known.totals.judged + 1 }
}

/** Something else was changed: it is counted anew. */
export function forgetProgress(query: Query, campaign: string): void {
  kept.get(query)?.delete(campaign)
}
