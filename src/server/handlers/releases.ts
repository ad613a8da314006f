// Releases: rules decide here and nowhere else, the decision is kept with its evidence, and a second person signs it.
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import {
  decideRelease,
  Gate,
  gatesOfObjective,
  gateStatistics,
  type GivenEvaluation,
  modelOfEvaluations,
} from '#evaluate'
import { DataError, HttpError } from '#errors'
import { sha256File } from '#files'
import {
  type Evaluation,
  findRecords,
  objectivesBehind,
  objectivesDiffer,
  opponentsOf,
  readEvaluation,
  readJsonFile,
  stampOf,
} from '#lineage'
import { Objective } from '#schema'
import {
  addRelease,
  addWaiver,
  audit,
  type Candidacy,
  createApiKey,
  createCandidacy,
  findCandidacy,
  listApiKeys,
  listCandidacies,
  listReleases,
  type ModelFolder,
  type Project,
  type Query,
  revokeApiKey,
  signCandidacy,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { objectiveKept } from '../objective.ts'
import { type Owns, ownershipOf } from '../ownership.ts'
import { refuseWithdrawn } from '../withdrawn.ts'
import { ownModels } from './fills.ts'

type Releases = Pick<
  Handlers,
  | 'GET /api/projects/{project}/releases'
  | 'POST /api/projects/{project}/candidacies'
  | 'POST /api/projects/{project}/candidacies/{candidacy}/waivers'
  | 'POST /api/projects/{project}/candidacies/{candidacy}/signature'
  | 'POST /api/projects/{project}/releases/{release}/rollback'
  | 'GET /api/projects/{project}/api-keys'
  | 'POST /api/projects/{project}/api-keys'
  | 'DELETE /api/projects/{project}/api-keys/{key}'
>
type Verdict = AnswerOf<'GET /api/projects/{project}/releases'>['candidacies'][number]['verdict']

export const releaseHandlers: Releases = {
  'GET /api/projects/{project}/releases': async ({ service, project, user }) => {
    const { query } = service.store
    const [entries, candidacies] = await Promise.all([
      listReleases(query, project.id),
      listCandidacies(query, project.id),
    ])
    const names = [...new Set(entries.map(({ name }) => name))]
    return {
      releases: names.map((name) => ({
        name,
        history: entries.filter((entry) => entry.name === name),
      })),
      candidacies: candidacies.map((candidacy) => ({
        ...candidacy,
        verdict: verdictOf(candidacy),
        isMine: candidacy.askedById === user.id,
      })),
      rules: rulesToBeginWith(service, project, candidacies),
    }
  },

  'POST /api/projects/{project}/candidacies': async ({ service, project, user, body }) => {
    const given = givenOf(service, await ownershipOf(service.store, project), body.evaluations)
    const { path, hash } = modelOfEvaluations(given)
    const model = await modelAt(service, project, path)
    await refuseWithdrawn(service, project, { name: model.name, hash })
    await checkWeights(service, model.folder, hash)
    const { gates } = decideRelease(body.rules, gateStatistics(given))
    const under = underObjective(service, project, given)
    const id = await service.store.transaction(async (query) => {
      const made = await createCandidacy(query, {
        project: project.id,
        release: body.release,
        model: model.name,
        folder: model.folder,
        hash,
        rules: body.rules,
        evaluations: given.map(({ hash: of, file, label }) => ({
          hash: of,
          name: file,
          ...(label !== undefined && { label }),
        })),
        gates,
        ...under,
        simulated: model.isSimulated || given.some(({ evaluation }) => evaluation.simulated),
        by: user.id,
      })
      const failed = gates.filter(({ passed }) => !passed).map(({ name }) => name)
      const detail = { release: body.release, hash, failed }
      await audit(query, { actor: user.id, project: project.id, action: 'candidacy.create', subject: made, detail })
      return made
    })
    return { id }
  },

  'POST /api/projects/{project}/candidacies/{candidacy}/waivers': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const candidacy = await candidacyOf(query, project, params.candidacy)
      if (candidacy.signedAt !== null && candidacy.signOff === 'refused')
        throw new HttpError(422, 'this was refused by signature: put the model to the rules anew')
      const gate = candidacy.gates.find(({ name }) => name === body.gate)
      if (!gate) throw new HttpError(422, `gate: there is no rule ${body.gate} here`)
      if (gate.passed) throw new HttpError(422, 'gate: this rule passed; there is nothing to waive')
      await addWaiver(query, { candidacy: candidacy.id, by: user.id, ...body })
      const detail = { gate: body.gate, reason: body.reason, days: body.days }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'gate.waive',
        subject: candidacy.id,
        detail,
      })
    }),

  'POST /api/projects/{project}/candidacies/{candidacy}/signature': async ({
    service,
    project,
    user,
    params,
    body,
  }) => {
    const asked = await candidacyOf(service.store.query, project, params.candidacy)
    if (asked.askedById === user.id)
      throw new HttpError(403, 'who asks does not sign: another reviewer or owner must look at it')
    if (body.signOff === 'released') {
      await refuseWithdrawn(service, project, { name: asked.model, hash: asked.hash })
      await checkWeights(service, asked.folder, asked.hash)
    }
    await service.store.transaction(async (query) => {
      const candidacy = await candidacyOf(query, project, params.candidacy)
      if (body.signOff === 'released' && verdictOf(candidacy) === 'refused')
        throw new HttpError(422, 'a rule failed, and no waiver of it counts now')
      if (!(await signCandidacy(query, candidacy.id, { by: user.id, ...body })))
        throw new HttpError(422, `this is signed already: ${candidacy.signOff}, by ${candidacy.signedBy}`)
      if (body.signOff === 'released')
        await addRelease(query, { project: project.id, name: candidacy.release, candidacy: candidacy.id, by: user.id })
      const detail = { signOff: body.signOff, release: candidacy.release, hash: candidacy.hash }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'candidacy.sign',
        subject: candidacy.id,
        detail,
      })
    })
  },

  'POST /api/projects/{project}/releases/{release}/rollback': async ({ service, project, user, params, body }) => {
    const history = (await listReleases(service.store.query, project.id)).filter(({ name }) => name === params.release)
    if (history.length === 0) throw new HttpError(404, 'there is no such release')
    const to = history.find(({ id }) => id === body.to)
    if (!to) throw new HttpError(422, 'to: expected an earlier entry of this name')
    if (to.hash === history[0]!.hash) throw new HttpError(422, 'to: the name stands for these weights already')
    await refuseWithdrawn(service, project, { name: to.name, hash: to.hash })
    await checkWeights(service, to.folder, to.hash)
    await service.store.transaction(async (query) => {
      if (verdictOf(await candidacyOf(query, project, to.candidacy)) === 'refused')
        throw new HttpError(422, 'to: it rests on a waiver that has expired')
      const { name, candidacy, id, hash } = to
      await addRelease(query, { project: project.id, name, candidacy, backTo: id, reason: body.reason, by: user.id })
      const detail = { to: id, hash, from: history[0]!.hash, reason: body.reason }
      await audit(query, { actor: user.id, project: project.id, action: 'release.rollback', subject: name, detail })
    })
  },

  'GET /api/projects/{project}/api-keys': async ({ service, project }) => ({
    keys: await listApiKeys(service.store.query, project.id),
  }),

  'POST /api/projects/{project}/api-keys': async ({ service, project, user, body }) =>
    service.store.transaction(async (query) => {
      const made = await createApiKey(query, { project: project.id, by: user.id, ...body })
      const detail = { name: body.name, scopes: body.scopes, perMinute: body.perMinute, days: body.days }
      await audit(query, { actor: user.id, project: project.id, action: 'key.create', subject: made.id, detail })
      return made
    }),

  'DELETE /api/projects/{project}/api-keys/{key}': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      if (!(await revokeApiKey(query, project.id, params.key))) throw new HttpError(404, 'there is no such key')
      await audit(query, { actor: user.id, project: project.id, action: 'key.revoke', subject: params.key })
    }),
}

/** The objective in force, and the sentence where evaluations, their models or the labels behind them are of others. */
function underObjective(
  { workspace }: Service,
  project: Project,
  given: readonly Given[],
): Pick<Candidacy, 'objective' | 'objectivesDiffer'> {
  const id = objectiveKept(workspace, project)
  const behind = given.flatMap(({ file, evaluation }) => {
    const { objective, model, judgements = [] } = evaluation
    const models = Object.fromEntries(
      Object.entries({ model, ...opponentsOf(evaluation) }).map(([role, of]) => [role, atPath(workspace, of)]),
    )
    const labels = judgements.map((judged) => ({ judgements: judged }))
    const found = [models, ...labels].flatMap((of) => objectivesBehind(of, { near: workspace, withRows: false }))
    return [...(objective ? [{ what: `evaluation ${file}`, objective }] : []), ...found]
  })
  const own = { what: 'this gate', ...(id !== undefined && { objective: stampOf(workspace, id) }) }
  return { objective: id ?? null, objectivesDiffer: objectivesDiffer(own, behind) ?? null }
}

/** Evaluations that were made in the workspace name its files from there. */
function atPath(workspace: string, { path, hash }: Evaluation['model']): Evaluation['model'] {
  return { path: resolve(workspace, path), hash }
}

async function candidacyOf(query: Query, project: Project, id: string): Promise<Candidacy> {
  const candidacy = await findCandidacy(query, project.id, id)
  if (!candidacy) throw new HttpError(404, 'there is no such candidacy')
  return candidacy
}

/** By the rules as they were decided, and the waivers that have not expired. */
export function verdictOf({ gates, waivers }: Pick<Candidacy, 'gates' | 'waivers'>): Verdict {
  const failed = gates.filter(({ passed }) => !passed)
  if (failed.length === 0) return 'passed'
  const isWaived = (name: string): boolean => waivers.some(({ gate, counts }) => counts && gate === name)
  return failed.every(({ name }) => isWaived(name)) ? 'passed by waiver' : 'refused'
}

type Given = GivenEvaluation & { hash: string; evaluation: Evaluation }

/** Evaluation files of the workspace by the hash of their content. */
function givenOf(
  { workspace }: Service,
  owns: Owns,
  asked: readonly { hash: string; label?: string | undefined }[],
): Given[] {
  const files = new Map<string, string>()
  for (const file of findRecords(workspace).records) {
    if (owns(file.slice(workspace.length + 1))) files.set(sha256File(file), file)
  }
  return asked.map(({ hash, label }) => {
    const file = files.get(hash)
    if (file === undefined) throw new HttpError(422, `evaluations: there is no evaluation ${hash.slice(0, 12)} here`)
    return {
      hash,
      file: file.slice(workspace.length + 1),
      evaluation: readEvaluation(file),
      ...(label !== undefined && { label }),
    }
  })
}

/** The model of this project that lies at that path, as an evaluation names it. */
async function modelAt(service: Service, project: Project, path: string): Promise<ModelFolder> {
  const folder = path === 'base' ? path : resolve(service.workspace, path)
  const found = (await ownModels(service, project)).find((model) => model.folder === folder)
  if (!found) throw new HttpError(422, `evaluations: the model they are of, ${path}, is no longer in this workspace`)
  return found
}

async function checkWeights({ sampler }: Service, folder: string, hash: string): Promise<void> {
  const loaded = await sampler.load(folder)
  if (loaded.hash !== hash)
    throw new HttpError(
      422,
      `the weights changed since they were evaluated: expected ${hash.slice(0, 12)}, got ${loaded.hash.slice(0, 12)}`,
    )
}

/** Those of the newest candidacy; else, of the first project, gates.json of the workspace; else the targets of its objective. */
function rulesToBeginWith(
  { workspace }: Service,
  { filePrefix, objectiveFile }: Project,
  candidacies: readonly Candidacy[],
): Gate[] {
  const newest = candidacies[0]
  if (newest) return newest.rules as Gate[]
  try {
    const gates = join(workspace, 'gates.json')
    if (filePrefix === '' && fs.existsSync(gates))
      return (readJsonFile(gates) as unknown[]).map((rule) => Gate.parse(rule))
    return gatesOfObjective(Objective.parse(readJsonFile(join(workspace, objectiveFile))))
  } catch (error) {
    // A file that is none of these is no reason to show nothing.
    if (error instanceof DataError || (error as Error).name === 'ZodError') return []
    throw error
  }
}
