// What was written becomes rows that fine-tuning takes, each named by its submission; and how far a text is from another.
import { findVersion, listDatasets, listVersions, saveVersion, type Version, versionRows } from '#data'
import { wordDiff } from '#diff'
import { HttpError } from '#errors'
import type { Demonstration, PromptRow } from '#schema'
import { type Campaign, listSubmissions, type Project, type Query, type Submission } from '#store'
import { pseudonymOf, sourceOf } from './campaign-report.ts'

/** Words taken out and words put in. A middle too long to be compared counts whole. */
export function wordsChanged(before: string, after: string): number {
  const count = (parts: { text: string; kind: string }[]) =>
    parts.reduce((sum, { text, kind }) => sum + (kind !== 'same' ? (text.match(/\S+/g)?.length ?? 0) : 0), 0)
  const diff = wordDiff(before, after)
  return count(diff.before) + count(diff.after)
}

/**
 * Accepted answers, oldest first: the reviewer's words where they took the place of the author's. Call it while the demonstrations
 * are held, so that none is taken back meanwhile.
 */
export async function keepDemonstrations(
  query: Query,
  workspace: string,
  { project, campaign, name }: { project: Project; campaign: Campaign; name: string },
): ReturnType<typeof saveVersion> {
  const all = await listSubmissions(query, campaign.id)
  const accepted = all.filter(({ state }) => state === 'accepted').reverse()
  if (accepted.length === 0) throw new HttpError(422, 'nothing is accepted yet')
  const placed = new Map<string, PromptRow>()
  const rows: Iterable<unknown> = versionRows(workspace, findVersion(workspace, campaign.version))
  let row = 0
  for (const each of rows as Iterable<PromptRow>) placed.set(`row-${++row}`, each)
  return saveVersion(
    workspace,
    accepted.map((submission) => rowOfSubmission(project, submission, placed.get(submission.item))),
    {
      kind: 'demonstrations',
      name,
      parents: [campaign.version],
      source: sourceOf(campaign),
    },
  )
}

/** A dataset version that was kept of the campaign with this demonstration in it; undefined: there is none. */
export function versionWith(workspace: string, campaign: Campaign, submission: string): Version | undefined {
  return listDatasets(workspace)
    .flatMap((name) => listVersions(workspace, name))
    .find(
      (version) =>
        version.kind === 'demonstrations' &&
        version.source.campaign === campaign.id &&
        holds(workspace, version, submission),
    )
}

function holds(workspace: string, version: Version, submission: string): boolean {
  for (const { id } of versionRows(workspace, version) as Iterable<{ id?: string }>) if (id === submission) return true
  return false
}

/** `original`: the drafted answer that was edited, and `editedWords` from it to what was accepted. */
function rowOfSubmission(
  project: Project,
  { id, prompt, drafted, completion, user, guideline, objective, review }: Submission,
  { group, stratum }: Partial<PromptRow> = {},
): Demonstration {
  const accepted = review?.completion ?? completion
  return {
    id,
    ...(group !== undefined && { group }),
    ...(stratum !== undefined && { stratum }),
    prompt,
    completion: accepted,
    author: pseudonymOf(project, user),
    guideline,
    ...(objective !== null && { objective }),
    ...(review && { reviewer: pseudonymOf(project, review.user) }),
    ...(drafted !== null && { original: drafted, editedWords: wordsChanged(drafted, accepted) }),
    ...(accepted !== completion && { written: completion }),
  }
}

type Writer = {
  user: string
  name: string
  written: number
  accepted: number
  returned: number
  seconds: number
  tokens: number | null
}

/** What is there, or will be once somebody has reviewed it or its author has changed it. */
const COUNTED: readonly Submission['state'][] = ['waiting', 'accepted', 'returned']

/** Each author with what came of their work; `returned` counts every time that something was sent back. */
export function writers(submissions: readonly Submission[]): Writer[] {
  const byUser = new Map<string, Submission[]>()
  for (const each of submissions) byUser.set(each.user, [...(byUser.get(each.user) ?? []), each])
  return [...byUser.values()].map((own) => {
    const counted = own.filter(({ state }) => COUNTED.includes(state))
    const tokens = counted.flatMap((each) => each.tokens ?? [])
    return {
      user: own[0]!.user,
      name: own[0]!.name,
      written: counted.length,
      accepted: own.filter(({ state }) => state === 'accepted').length,
      returned: own.filter(({ review }) => review?.outcome === 'returned').length,
      seconds: median(own.map(({ seconds }) => seconds)),
      tokens: tokens.length === 0 ? null : median(tokens),
    }
  })
}

function median(values: number[]): number {
  const sorted = values.sort((x, y) => x - y)
  const middle = Math.floor(sorted.length / 2)
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
