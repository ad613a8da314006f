// Did a new version of the guideline help? All that people judged in the project under two versions, held beside each other:
// pairs that were judged under both, in whichever campaigns, are one item, so that two rounds on the same pairs are compared
// pair by pair.
import { type Change, compareGuidelines, type GuidelineComparison, reportAgreementBy } from '#feedback'
import { DataError, HttpError } from '#errors'
import { canonicalJson, sha256 } from '#files'
import type { Judgement } from '#schema'
import { type Guideline, listCampaigns, listJudgements, type Project, type Query, versionOfAnswers } from '#store'
import { type AgreementInPart, agreementIn } from './agreement.ts'
import { rowOf } from './campaign-report.ts'

const RESAMPLES = 1000

/** What people judged under either version. */
export async function changeBetween(
  query: Query,
  project: Project,
  [before, after]: readonly [Guideline, Guideline],
): Promise<GuidelineComparison> {
  if (before.label === after.label)
    throw new HttpError(422, 'after: expected another version than before; the two have the same text')
  const { rows, gold } = await judgedUnder(query, project, [before.label, after.label])
  try {
    return compareGuidelines(rows, {
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

type AgreementOfVersion = { numbers: number[] } & AgreementInPart
const kept = new Map<string, { version: string; agreement: AgreementOfVersion[] }>()
const MOST_KEPT = 30

/** Of each version that something was judged under, newest first; versions of one text are one. Empty where there is one alone. */
export async function agreementByVersion(
  query: Query,
  project: Project,
  guidelines: readonly Guideline[],
): Promise<AgreementOfVersion[]> {
  const campaigns = await pairCampaigns(query, project)
  const versions = await Promise.all(campaigns.map(({ id }) => versionOfAnswers(query, id)))
  const version = JSON.stringify([guidelines.length, versions])
  const known = kept.get(project.id)
  if (known?.version === version) return known.agreement
  const labels = [...new Set(guidelines.map(({ label }) => label))]
  const { rows, gold } = await judgedUnder(query, project, labels)
  const votes = rows.filter(({ item }) => !gold.has(item))
  const judged = labels.filter((label) => votes.some(({ guideline }) => guideline === label))
  const parts = judged.length > 1 ? reportAgreementBy('guideline', votes, { seed: 0, resamples: RESAMPLES }) : []
  const agreement = (judged.length > 1 ? judged : []).map((label) => ({
    numbers: guidelines.filter((each) => each.label === label).map(({ number }) => number),
    ...agreementIn(parts, label),
  }))
  if (kept.size >= MOST_KEPT) kept.clear()
  kept.set(project.id, { version, agreement })
  return agreement
}

async function pairCampaigns(query: Query, project: Project): Promise<{ id: string }[]> {
  return (await listCampaigns(query, project.id)).filter(({ kind }) => kind === 'pairs').reverse()
}

/** In whichever campaigns, the newest answer of a person to a pair under a version; and the better texts of gold pairs. */
async function judgedUnder(
  query: Query,
  project: Project,
  labels: readonly string[],
): Promise<{ rows: Judgement[]; gold: Map<string, string> }> {
  const newest = new Map<string, Judgement>()
  const gold = new Map<string, string>()
  for (const { id } of await pairCampaigns(query, project))
    for (const judgement of await listJudgements(query, id)) {
      const { prompt, left, right, user, guideline } = judgement
      if (!labels.includes(guideline)) continue
      const item = sha256(canonicalJson([prompt, ...[left, right].sort()]))
      const row = rowOf(project, judgement)
      if (row.gold !== undefined) gold.set(item, row[row.gold])
      newest.set(`${guideline} ${item} ${user}`, { ...row, item })
    }
  return { rows: [...newest.values()], gold }
}

/** JSON has no NaN: a coefficient of answers that never vary is not defined. */
export function changeShown({ before, after, change }: Change): Change | null {
  return [before, after, change.value, change.low, change.high].every(Number.isFinite)
    ? { before, after, change }
    : null
}
