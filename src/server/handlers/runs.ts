// Runs: ordered, watched, and asked to stop, pause, go on or branch. The trainer obeys; nothing is run here.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { listVersions } from '#data'
import { HttpError } from '#errors'
import { type ObjectiveStamp, orderArguments, ORDERS, type RecipeName, RunOrder } from '#schema'
import {
  askJob,
  audit,
  createJob,
  listCheckpoints,
  listObjectives,
  type Project,
  readRunConfig,
  readRunFacts,
  type User,
  type Wish,
} from '#store'
import { type Again, againOf, orderAgain, saveAgain } from '../again.ts'
import type { Handlers, Service } from '../call.ts'
import { changedSettings, startingModels, orderOf, recipeForms } from '../orders.ts'
import { csvOf, curvesOf } from '../live/curves.ts'
import { readPlace } from '../live/feeds.ts'
import { preferencePage } from '../live/preference-page.ts'
import { allSamples, sampleTexts } from '../live/sample-texts.ts'
import { lastLines } from '../live/tail.ts'
import { Conflict, WrongFields } from '../refusals.ts'
import { keepRunFile, runFilesOf } from '../run-files.ts'
import { type OwnRun, ownRun, ownRuns, stateOfRun, viewOf } from '../run-views.ts'
import { staleIn, supersededBy, supersedingOf } from '../stale.ts'
import { ownDatasets } from './data.ts'

type Runs = Pick<
  Handlers,
  Extract<keyof Handlers, `${string}/runs${string}` | `${string}/recipes` | `${string}/run-files`>
>

export const runHandlers: Runs = {
  'GET /api/projects/{project}/recipes': async ({ service, project }) => ({
    recipes: recipeForms(),
    models: await startingModels(service, project),
    datasets: ownDatasets(service.workspace, project).map((file) => {
      const { name, kind, rows } = listVersions(service.workspace, file).at(-1)!
      return { name: name.slice(project.filePrefix.length), kind, rows }
    }),
    files: await runFilesOf(service, project),
  }),

  'POST /api/projects/{project}/run-files': async ({ service, project, user, query, upload }) => {
    if (!upload) throw new HttpError(422, 'expected a file as the body')
    const kept = await keepRunFile(service, upload, { kind: query.kind, name: query.file })
    if (kept.isNew)
      await service.store.transaction((statement) =>
        audit(statement, { actor: user.id, project: project.id, action: 'run-file.keep', subject: kept.file }),
      )
    return kept
  },

  'GET /api/projects/{project}/runs': async ({ service, project }) => ({
    runs: (await ownRuns(service, project)).map((own) => viewOf(service.workspace, own)),
  }),

  'POST /api/projects/{project}/runs': async ({ service, project, user, body }) => {
    const { name, supersedes, ...given } = body
    const order = await orderOf(service, project, given)
    if (supersedes === undefined) return startRun(service, { project, user, name, order })
    const why = await whyInPlaceOf(service, project, supersedes)
    return startRun(service, { project, user, name, order: { ...order, supersedes: { run: supersedes, why } } })
  },

  'GET /api/projects/{project}/runs/{run}': async ({ service, project, params }) => {
    const own = await ownRun(service, project, params.run)
    const folder = folderOf(service, own)
    const facts = readRunFacts(folder)
    const order = RunOrder.safeParse(own.job?.ordered).data
    const after = supersedingOf(await ownRuns(service, project)).get(own.run)
    return {
      ...viewOf(service.workspace, own),
      config: configOf(service, own),
      inputs: Object.entries(facts?.inputs ?? {}).map(([role, { path, hash }]) => ({
        role,
        name: orderedName(order?.inputs[role]) ?? nameOf(service.workspace, path, hash),
        hash,
      })),
      checkpoints: listCheckpoints(folder),
      command: commandOf(own),
      outcome: facts?.outcome?.reason ?? '',
      objective: facts?.objective ? await shownObjective(service, project, facts.objective) : null,
      objectivesDiffer: facts?.objectivesDiffer?.replaceAll(`${service.workspace}/`, '') ?? null,
      supersedes: supersededBy(own) ?? null,
      supersededBy: after ? { run: after.run, state: stateOfRun(after), why: supersededBy(after)?.why ?? null } : null,
    }
  },

  'GET /api/projects/{project}/runs/{run}/again': async ({ service, project, params }) => {
    const own = await ownRun(service, project, params.run)
    const stale = await staleIn(service, project)
    const again = againOf(stale, own)
    return { again, order: again?.is === 'order' ? orderAgain(stale, own) : null }
  },

  'POST /api/projects/{project}/runs/{run}/again': async ({ service, project, user, params }) => {
    const own = await ownRun(service, project, params.run)
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const stale = await staleIn(service, project)
      const again = againOf(stale, own)
      if (again?.is === 'superseded') return { run: again.by, isNew: false }
      if (again?.is !== 'trainable') throw new HttpError(422, whyNotAgain(own.run, again))
      const { run, order, without } = await saveAgain(stale, own)
      // Somebody who asked at the same time was first, or took the name: then there is another answer.
      if (await queueRun(service, { project, user, run, order, detail: { without } })) return { run, isNew: true }
    }
    throw new Conflict(`others order runs at this moment: ask again for ${own.run}`, {})
  },

  'GET /api/projects/{project}/runs/{run}/curves': async ({ service, project, params, query }) => {
    const folder = folderOf(service, await ownRun(service, project, params.run))
    // First the place: what is written between the two is then told twice, and not never.
    const place = service.feeds.place(params.run)
    return {
      place,
      log: lastLines(join(folder, 'output.txt'), readPlace(place)!.log),
      ...curvesOf(folder, query.points),
    }
  },

  'GET /api/projects/{project}/runs/{run}/metrics': async ({ service, project, params }) => {
    const folder = folderOf(service, await ownRun(service, project, params.run))
    return { type: 'text/csv; charset=utf-8', name: `${params.run}.csv`, body: piecesOf(csvOf(folder)) }
  },

  'GET /api/projects/{project}/runs/{run}/samples': async ({ service, project, params }) => ({
    samples: allSamples(folderOf(service, await ownRun(service, project, params.run))),
  }),

  'GET /api/projects/{project}/runs/{run}/preferences': async ({ service, project, params, query }) =>
    preferencePage(folderOf(service, await ownRun(service, project, params.run)), query.from),

  'GET /api/projects/{project}/runs/{run}/events': async ({ service, project, params, query, lastEvent, signal }) => {
    const folder = folderOf(service, await ownRun(service, project, params.run))
    return service.feeds.watch(params.run, {
      from: lastEvent ?? query.from,
      look: async () => viewOf(service.workspace, await ownRun(service, project, params.run)),
      textsOf: (lines) => sampleTexts(folder, lines),
      signal,
    })
  },

  'POST /api/projects/{project}/runs/{run}/stop': async (call) => ask(call, 'stop'),
  'POST /api/projects/{project}/runs/{run}/pause': async (call) => ask(call, 'pause'),
  'POST /api/projects/{project}/runs/{run}/resume': async (call) => ask(call, 'resume'),

  'POST /api/projects/{project}/runs/{run}/branch': async ({ service, project, user, params, body }) => {
    const own = await ownRun(service, project, params.run)
    const folder = folderOf(service, own)
    const recipe = own.folder?.recipe as RecipeName | undefined
    if (!recipe || !(recipe in ORDERS)) throw new HttpError(422, `${params.run} is no run that can be branched`)
    if (!listCheckpoints(folder).includes(body.step))
      throw new HttpError(422, `step: ${params.run} has no checkpoint of step ${body.step}`)
    changedSettings(recipe, readRunConfig(folder), body.settings)
    const branch = { run: params.run, step: body.step }
    const order = RunOrder.parse({ recipe, inputs: {}, settings: body.settings, computing: {}, branch })
    return startRun(service, { project, user, name: body.name, order })
  },
}

/** With the number of the version that it is, where the project saved it as one. */
async function shownObjective({ store }: Service, { id: project }: Project, { id, name }: ObjectiveStamp) {
  const version = (await listObjectives(store.query, project)).find(({ sha256 }) => sha256 === id)
  return { id, name: name ?? null, number: version?.number ?? null }
}

/** Each is lost only to somebody who was faster. */
const MOST_TRIES = 5

async function startRun(
  service: Service,
  { project, user, name, order }: { project: Project; user: User; name: string; order: RunOrder },
): Promise<{ run: string }> {
  const run = `${project.filePrefix}${name}`
  const isFree = !existsSync(join(service.workspace, 'runs', run))
  if (isFree && (await queueRun(service, { project, user, run, order }))) return { run }
  const before = order.supersedes?.run
  // Between the look at what it supersedes and now somebody may have been first.
  if (before !== undefined) await whyInPlaceOf(service, project, before)
  throw new HttpError(422, `name: there is a run ${run}; choose another name`)
}

/** False: the workspace has a run of that name, or one that takes the same run's place. */
async function queueRun(
  { store, workspace }: Service,
  {
    project,
    user,
    run,
    order,
    detail = {},
  }: { project: Project; user: User; run: string; order: RunOrder; detail?: object },
): Promise<boolean> {
  const ordered = { ...order, ...objectiveFor(workspace, project) }
  return store.transaction(async (query) => {
    const { recipe, branch, supersedes } = order
    if (!(await createJob(query, { project: project.id, run, recipe, ordered, by: user.id }))) return false
    const all = {
      recipe,
      ...(branch && { branch }),
      ...(supersedes && { supersedes: supersedes.run, why: supersedes.why }),
      ...detail,
    }
    await audit(query, { actor: user.id, project: project.id, action: 'run.start', subject: run, detail: all })
    return true
  })
}

/** Why a run may take that one's place. @throws HttpError 422 where it may not. */
async function whyInPlaceOf(service: Service, project: Project, run: string): Promise<string> {
  const again = againOf(await staleIn(service, project), await ownRun(service, project, run))
  if (again?.is !== 'order' && again?.is !== 'trainable') throw new WrongFields({ supersedes: whyNotAgain(run, again) })
  return again.why
}

function whyNotAgain(run: string, again: Again | null): string {
  if (!again) return `${run} rests on no withdrawn answer`
  if (again.is === 'superseded') return `${run} was superseded by ${again.by}`
  return `${run} cannot be ordered again so: ${'why' in again ? again.why : again.is}`
}

/** The command finds the workspace's own by itself; another project's runs are never under that one. */
function objectiveFor(workspace: string, { objectiveFile }: Project): Pick<RunOrder, 'objective'> {
  if (objectiveFile === 'objective.json') return {}
  return { objective: existsSync(join(workspace, objectiveFile)) ? objectiveFile : 'none' }
}

async function ask(
  { service, project, user, params }: { service: Service; project: Project; user: User; params: { run: string } },
  what: Wish | 'resume',
): Promise<void> {
  const own = await ownRun(service, project, params.run)
  const view = viewOf(service.workspace, own)
  const refusal = new Conflict(
    own.job || view.state !== 'running'
      ? `${params.run} is ${view.state}: it cannot ${what} now`
      : `${params.run} was begun at the command line: end it there, with Ctrl-C`,
    { state: view.state },
  )
  if (!view.may.includes(what)) throw refusal
  await service.store.transaction(async (query) => {
    const { run, job, folder } = own
    const isDone = job
      ? await askJob(query, run, what)
      : await createJob(query, { project: project.id, run, recipe: folder!.recipe, ordered: null, by: user.id })
    if (!isDone) throw refusal
    await audit(query, { actor: user.id, project: project.id, action: `run.${what}`, subject: run })
  })
}

const LINES_A_PIECE = 500

async function* piecesOf(lines: Iterable<string>): AsyncGenerator<string> {
  let piece: string[] = []
  for (const line of lines) {
    piece.push(line)
    if (piece.length < LINES_A_PIECE) continue
    yield piece.join('')
    piece = []
  }
  yield piece.join('')
}

const folderOf = ({ workspace }: Service, { run }: OwnRun): string => join(workspace, 'runs', run)

/** As the run took it; before it began, as it was ordered. Settings and seed are under `config`. */
function configOf(service: Service, own: OwnRun): Record<string, unknown> {
  const { judgements, ...taken } = readRunConfig(folderOf(service, own))
  if (Object.keys(taken).length > 0)
    return {
      ...shortened(taken, service.workspace),
      // Their ids are on the page of preferences.
      ...(Array.isArray(judgements) && { judgements: judgements.length }),
    }
  const order = RunOrder.safeParse(own.job?.ordered).data
  return order ? { recipe: order.recipe, ...order.inputs, ...order.computing, config: order.settings } : {}
}

/** Where the workspace lies on its machine is nobody's business. */
function shortened(config: Record<string, unknown>, workspace: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key, typeof value === 'string' ? within(value, workspace) : value]),
  )
}

function within(path: string, workspace: string): string {
  if (path.startsWith(`${workspace}/`)) return path.slice(workspace.length + 1)
  return path.startsWith('/') ? path.split('/').slice(-2).join('/') : path
}

/** As it was ordered; what is called by its content alone has no name. */
function orderedName(input: string | undefined): string | undefined {
  return input?.startsWith('artifacts/') ? undefined : input?.replace(/(@[0-9a-f]{12})[0-9a-f]+$/, '$1')
}

/** A dataset version by its name, else where the file or folder lies. */
function nameOf(workspace: string, path: string, hash: string): string {
  return within(path, workspace).startsWith('artifacts/') ? `content ${hash.slice(0, 12)}` : within(path, workspace)
}

function commandOf({ run, job, folder }: OwnRun): string {
  const order = RunOrder.safeParse(job?.ordered).data
  const recipe = folder?.recipe ?? job?.recipe ?? ''
  return ['hone', ...(order ? orderArguments(order, run) : ['train', recipe, '--resume', `runs/${run}`])].join(' ')
}
