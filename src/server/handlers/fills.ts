// Fills: asked for here, drawn beside the requests.
import { relative } from 'node:path'
import { HttpError } from '#errors'
import {
  audit,
  createFill,
  type Fill,
  findFill,
  listFills,
  listModelFolders,
  listReleases,
  listSamples,
  type ModelFolder,
  type Project,
  type Query,
  resumeFill,
  stopFill,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { ownershipOf } from '../ownership.ts'
import { promptsOf } from '../prompts.ts'
import { fileOf, ownDatasets, ownVersion } from './data.ts'

type Fills = Pick<
  Handlers,
  | 'GET /api/projects/{project}/models'
  | 'GET /api/projects/{project}/fills'
  | 'POST /api/projects/{project}/fills'
  | 'GET /api/projects/{project}/fills/{fill}'
  | 'PUT /api/projects/{project}/fills/{fill}/state'
>

export const MOST_SAMPLES = 50_000
const ROWS_SHOWN = 8

export const fillHandlers: Fills = {
  'GET /api/projects/{project}/models': async ({ service, project }) => ({ models: await ownModels(service, project) }),

  'GET /api/projects/{project}/fills': async ({ service, project }) => ({
    fills: (await listFills(service.store.query, project.id)).map(shown),
  }),

  'POST /api/projects/{project}/fills': async ({ service, project, user, body }) => {
    const { models, ...drawing } = body
    const prompts = ownVersion(service.workspace, project, body.prompts)
    if (prompts.kind === 'judgements') throw new HttpError(422, 'prompts: expected rows with prompts, got judgements')
    const samples = prompts.rows * body.n * models.length
    if (samples > MOST_SAMPLES)
      throw new HttpError(422, `prompts: expected at most ${MOST_SAMPLES} samples, got ${samples}`)
    if (ownDatasets(service.workspace, project).includes(fileOf(project, body.name)))
      throw new HttpError(422, `name: there is a dataset ${body.name} already; choose another name`)
    promptsOf(service.workspace, prompts.version)
    const chosen = await Promise.all(models.map((name) => modelNamed(service, project, name)))
    const id = await service.store.transaction(async (query) => {
      const made = await createFill(query, {
        ...drawing,
        project: project.id,
        prompts: body.prompts,
        promptsVersion: prompts.version,
        promptCount: prompts.rows,
        models: chosen.map(({ name, folder, isSimulated }) => ({ name, folder, isSimulated })),
        byId: user.id,
      })
      if (made === undefined)
        throw new HttpError(422, `name: there are samples ${body.name} already; choose another name`)
      const detail = { models, prompts: prompts.version, samples }
      await audit(query, { actor: user.id, project: project.id, action: 'fill.create', subject: made, detail })
      return made
    })
    service.filling.wake()
    return { id }
  },

  'GET /api/projects/{project}/fills/{fill}': async ({ service, project, params }) => {
    const { query } = service.store
    const fill = await fillOf(query, project, params.fill)
    const samples = await listSamples(query, fill.id, { rows: ROWS_SHOWN })
    const prompts = promptsOf(service.workspace, fill.promptsVersion).slice(0, ROWS_SHOWN)
    return {
      ...shown(fill),
      samples: prompts.flatMap(({ prompt }, row) => {
        const completions = samples.filter((sample) => sample.row === row)
        return completions.length === 0 ? [] : [{ row, prompt, completions }]
      }),
    }
  },

  'PUT /api/projects/{project}/fills/{fill}/state': async ({ service, project, user, params, body }) => {
    await service.store.transaction(async (query) => {
      const fill = await fillOf(query, project, params.fill)
      const isChanged = body.state === 'stopped' ? await stopFill(query, fill.id) : await resumeFill(query, fill.id)
      if (!isChanged) throw new HttpError(422, `state: these samples are ${fill.state}`)
      const detail = { from: fill.state, to: body.state }
      await audit(query, { actor: user.id, project: project.id, action: 'fill.state', subject: fill.id, detail })
    })
    if (body.state === 'stopped') service.filling.stop(params.fill)
    else service.filling.wake()
  },
}

async function fillOf(query: Query, project: Project, id: string): Promise<Fill> {
  const fill = await findFill(query, project.id, id)
  if (!fill) throw new HttpError(404, 'there are no such samples')
  return fill
}

function shown(fill: Fill): AnswerOf<'GET /api/projects/{project}/fills'>['fills'][number] {
  return { ...fill, wanted: fill.promptCount * fill.n * fill.models.length }
}

/** What its runs left, the base, the workspace's models/ and its releases. */
export async function ownModels({ workspace, store }: Service, project: Project): Promise<ModelFolder[]> {
  const owns = await ownershipOf(store, project)
  const folders = listModelFolders(workspace).filter(
    ({ kind, folder }) => kind === 'base' || owns(relative(workspace, folder)),
  )
  const entries = await listReleases(store.query, project.id)
  const newest = entries.filter(({ name }, i) => entries.findIndex((entry) => entry.name === name) === i)
  const releases = newest.map(({ name, folder, simulated }): ModelFolder => {
    return { name: `release ${name}`, folder, kind: 'release', recipe: null, isSimulated: simulated }
  })
  return [...folders, ...releases]
}

export async function modelNamed(service: Service, project: Project, name: string): Promise<ModelFolder> {
  const found = (await ownModels(service, project)).find((model) => model.name === name)
  if (!found) throw new HttpError(422, `models: there is no language model ${name} in this project`)
  return found
}
