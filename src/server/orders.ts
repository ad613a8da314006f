// Orders of runs: what a form sends becomes an order whose names are all resolved within the project. What is wrong is said
// by field, with every field that is wrong; what only the recipe itself can know, its process says when it starts.
import { z } from 'zod'
import { findVersion } from '#data'
import { ConfigError, HttpError } from '#errors'
import { HOW_TO_GET_A_TICKET, ticketRefusal } from '#evaluate'
import { Computing, ignoredSettings, ORDERS, type RecipeName, RunOrder, type Takes, takesOf } from '#schema'
import { listModelFolders, type Project, rewardAccuracyOf } from '#store'
import type { Service } from './call.ts'
import { fileOf, ownVersion } from './handlers/data.ts'
import { checkRunFile } from './run-files.ts'
import { WrongFields } from './refusals.ts'
import { ownRuns, stateOfRun } from './run-views.ts'

type Given = {
  recipe: RecipeName
  inputs: Record<string, string | number>
  settings: Record<string, unknown>
  computing: Record<string, unknown>
}

/** @throws WrongFields by `inputs.data`, `settings.steps`, ... */
export async function orderOf(service: Service, project: Project, given: Given): Promise<RunOrder> {
  const { recipe } = given
  const wrong: Record<string, string> = {}
  const inputs = check('inputs', ORDERS[recipe].inputs, given.inputs, wrong)
  const config = check('settings', ORDERS[recipe].settings, given.settings, wrong)
  if (inputs && config) refuseIgnored(recipe, { ...inputs, config }, given.settings, wrong)
  if (inputs?.replay !== undefined && config?.replayShare === 0)
    wrong['settings.replayShare'] ??= 'expected a share above 0 for the texts of replay, got 0'
  check('computing', Computing, given.computing, wrong)
  const models = await startingModels(service, project)
  const resolved: Record<string, string> = {}
  for (const [name, value] of Object.entries((inputs ?? {}) as Record<string, string | number | undefined>)) {
    if (value === undefined) continue
    const takes = takesOf(recipe, name)
    try {
      resolved[name] =
        takes === undefined ? String(value) : await resolve(service, project, { takes, value: String(value), models })
    } catch (error) {
      if (!(error instanceof HttpError) && !(error instanceof ConfigError)) throw error
      wrong[`inputs.${name}`] = error.message
    }
  }
  if (resolved.reward !== undefined) requireTicket(service, resolved, wrong)
  if (Object.keys(wrong).length > 0) throw new WrongFields(wrong)
  return RunOrder.parse({ recipe, inputs: resolved, settings: given.settings, computing: given.computing })
}

/** A reward model enters RL by its ticket, or by a word that stays in the run's config. */
function requireTicket(
  { workspace }: Service,
  { reward, withoutTicket }: Record<string, string>,
  wrong: Record<string, string>,
): void {
  const refusal = ticketRefusal(rewardAccuracyOf(workspace, reward!))
  if (refusal !== undefined && withoutTicket === undefined)
    wrong['inputs.reward'] = `${reward} ${refusal}; ${HOW_TO_GET_A_TICKET}, or choose to go on without one`
  if (refusal === undefined && withoutTicket !== undefined)
    wrong['inputs.withoutTicket'] = `would be ignored: ${reward} has its ticket; leave it empty`
}

/** Settings of a run, changed: the recipe's own checks hold for both together. `job`: what the run was asked to do. */
export function changedSettings(
  recipe: RecipeName,
  job: Record<string, unknown>,
  changes: Record<string, unknown>,
): void {
  const wrong: Record<string, string> = {}
  const config = check('settings', ORDERS[recipe].settings, { ...(job.config as object), ...changes }, wrong)
  if (config) refuseIgnored(recipe, { ...job, config }, changes, wrong)
  if (Object.keys(wrong).length > 0) throw new WrongFields(wrong)
}

function refuseIgnored(
  recipe: RecipeName,
  asked: Record<string, unknown> & { config: Record<string, unknown> },
  given: Record<string, unknown>,
  wrong: Record<string, string>,
): void {
  for (const { setting, message } of ignoredSettings(recipe, asked, { given: Object.keys(given) }))
    wrong[`settings.${setting}`] ??= message
}

function check(
  part: string,
  schema: z.ZodType,
  value: Record<string, unknown>,
  wrong: Record<string, string>,
): Record<string, unknown> | undefined {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data as Record<string, unknown>
  for (const issue of parsed.error.issues) {
    const fields = issue.code === 'unrecognized_keys' ? issue.keys : [issue.path.map(String).join('.')]
    for (const field of fields) wrong[[part, field].filter(Boolean).join('.')] ??= issue.message
  }
  return undefined
}

export type OrderModel = { name: string; recipe: string }

/** Models that a run of the project may start from: the bundled base, the workspace's models/, and what its finished runs left. */
export async function startingModels(service: Service, project: Project): Promise<OrderModel[]> {
  const runs = await ownRuns(service, project)
  const done = runs.filter((own) => stateOfRun(own) === 'done' || own.folder?.status === 'paused')
  const others = listModelFolders(service.workspace).filter(({ kind }) => kind === 'base' || kind === 'folder')
  return [
    ...others.map(({ name }) => ({ name, recipe: 'given' })),
    ...done.map(({ run, folder }) => ({ name: run, recipe: folder!.recipe })),
  ]
}

const KINDS: Record<Exclude<Takes, 'model' | 'reward' | 'rules' | 'texts'>, readonly string[]> = {
  demonstrations: ['demonstrations'],
  pairs: ['judgements', 'comparisons'],
  prompts: ['prompts', 'demonstrations', 'comparisons', 'judgements'],
}

async function resolve(
  service: Service,
  project: Project,
  { takes, value, models }: { takes: Takes; value: string; models: OrderModel[] },
): Promise<string> {
  const { workspace } = service
  if (takes === 'rules' || takes === 'texts') {
    await checkRunFile(service, project, { kind: takes, file: value })
    return value
  }
  if (takes === 'model' || takes === 'reward') {
    const model = models.find(({ name }) => name === value)
    if (!model) throw new HttpError(422, `expected a model or a finished run, there is none called ${value}`)
    if ((model.recipe === 'reward') !== (takes === 'reward'))
      throw new HttpError(422, `expected a ${takes === 'reward' ? 'reward model' : 'model that writes'}, got ${value}`)
    return value
  }
  const [name, hash] = value.split('@') as [string, string | undefined]
  const newest = ownVersion(workspace, project, name)
  const version = hash === undefined ? newest : findVersion(workspace, `${fileOf(project, name)}@${hash}`)
  if (!KINDS[takes].includes(version.kind))
    throw new HttpError(422, `expected ${KINDS[takes].join(' or ')}, ${name} holds ${version.kind}`)
  return `${version.name}@${version.version}`
}

/** Recipes as JSON Schema, for forms. */
export function recipeForms(): { name: RecipeName; title: string; inputs: Json; settings: Json; computing: Json }[] {
  return Object.entries(ORDERS).map(([name, { title, inputs, settings }]) => ({
    name: name as RecipeName,
    title,
    inputs: jsonOf(inputs),
    settings: jsonOf(settings),
    computing: jsonOf(Computing),
  }))
}

type Json = Record<string, unknown>

function jsonOf(schema: z.ZodType): Json {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json
}
