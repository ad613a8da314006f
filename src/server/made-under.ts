// What was made under each version of the objective: guidelines, campaigns, runs, and models put to the rules, as each names
// the objective of its time.
import { listCampaigns, listCandidacies, listGuidelines, listObjectives, type Project } from '#store'
import type { Service } from './call.ts'
import type { AnswerOf } from './contract.ts'
import { ownRuns } from './run-views.ts'

type Under = AnswerOf<'GET /api/projects/{project}/objective/made'>['objectives'][number]

/** Saved versions first, newest first; then objectives that are no version, such as the file before its first save. */
export async function madeUnder(service: Service, project: Project): Promise<Under[]> {
  const { query } = service.store
  const [versions, guidelines, campaigns, candidacies, runs] = await Promise.all([
    listObjectives(query, project.id),
    listGuidelines(query, project.id),
    listCampaigns(query, project.id),
    listCandidacies(query, project.id),
    ownRuns(service, project),
  ])
  const under = new Map<string, Under>()
  const of = (id: string): Under => {
    const known = under.get(id)
    if (known) return known
    const made: Under = { hash: id, number: null, guidelines: [], campaigns: [], runs: [], gates: [] }
    under.set(id, made)
    return made
  }
  // Of versions that say the same, the newest is it.
  for (const { sha256, number } of versions) of(sha256).number ??= number
  for (const { objective, number } of guidelines) if (objective !== null) of(objective).guidelines.push({ number })
  for (const { objective, id, name, state } of campaigns)
    if (objective !== null) of(objective).campaigns.push({ id, name, state })
  for (const { run, folder } of runs)
    if (folder?.objective) of(folder.objective.id).runs.push({ run, recipe: folder.recipe })
  for (const { objective, id, model, release } of candidacies)
    if (objective !== null) of(objective).gates.push({ id, model, release })
  return [...under.values()]
}
