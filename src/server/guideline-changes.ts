// Did a new version of the guideline help? All that people judged in the project under two versions, held beside each other:
// pairs that were judged under both, in whichever campaigns, are one item, so that two rounds on the same pairs are compared
// pair by pair.
import { type Change, compareGuidelines, type GuidelineComparison } from '#feedback'
import { DataError, HttpError } from '#errors'
import { canonicalJson, sha256 } from '#files'
import type { Judgement } from '#schema'
import { type Guideline, listCampaigns, listJudgements, type Project, type Query } from '#store'
import { rowOf } from './campaign-report.ts'

const RESAMPLES = 1000

/** What people judged under either version, newest answer of a person to a pair first of all. */
export async function changeBetween(
  query: Query,
  project: Project,
  [before, after]: readonly [Guideline, Guideline],
): Promise<GuidelineComparison> {
  if (before.label === after.label)
    throw new HttpError(422, 'after: expected another version than before; the two have the same text')
  const campaigns = (await listCampaigns(query, project.id)).filter(({ kind }) => kind === 'pairs')
  const newest = new Map<string, Judgement>()
  const gold = new Map<string, string>()
  for (const { id } of campaigns.reverse())
    for (const judgement of await listJudgements(query, id)) {
      const { prompt, left, right, user, guideline } = judgement
      if (guideline !== before.label && guideline !== after.label) continue
      const item = sha256(canonicalJson([prompt, ...[left, right].sort()]))
      const row = rowOf(project, judgement)
      if (row.gold !== undefined) gold.set(item, row[row.gold])
      newest.set(`${guideline} ${item} ${user}`, { ...row, item })
    }
  try {
    return compareGuidelines([...newest.values()], {
      before: before.label,
      after: after.label,
      gold: [...gold].map(([item, better]) => ({ item, better })),
      seed: 0,
      resamples: RESAMPLES,
    })
  } catch (error) {
    // Too little was judged under one of them.
    if (!(error instanceof DataError)) throw error
    const labels = [before, after].map(({ number }) => number).join(' and ')
    throw new HttpError(422, `under versions ${labels} no pair was judged by two people each: nothing to compare yet`)
  }
}

/** JSON has no NaN: a coefficient of answers that never vary is not defined. */
export function changeShown({ before, after, change }: Change): Change | null {
  return [before, after, change.value, change.low, change.high].every(Number.isFinite)
    ? { before, after, change }
    : null
}
