// Training again what rests on withdrawn answers: a new run of the same recipe and settings, whose inputs are those of the old one
// without them, that takes its place. What rests on that run in turn is ordered by people: hours of training are nobody's side effect.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findVersion, saveVersion, type Version, versionRows } from '#data'
import { invariant } from '#errors'
import { type Node, next, nodeOf } from '#lineage'
import { RunOrder, takesOf } from '#schema'
import type { AnswerOf } from './contract.ts'
import { type OwnRun, stateOfRun } from './run-views.ts'
import { isMadeOf, isModelStale, isStale, placeTaken, runOf, type Stale } from './stale.ts'
import { isAmong, labelOf } from './withdrawn.ts'

export type Again = NonNullable<AnswerOf<'GET /api/projects/{project}/runs/{run}/again'>['again']>
export type OrderAgain = NonNullable<AnswerOf<'GET /api/projects/{project}/runs/{run}/again'>['order']>

/** What can be done about a run; null: it rests on no withdrawn answer. */
export function againOf(stale: Stale, own: OwnRun): Again | null {
  const { run, job, folder } = own
  if (!isStale(stale, run)) return null
  const after = stale.superseding.get(run)
  if (after) return { is: 'superseded', by: after.run, state: stateOfRun(after) }
  if (!folder) return { is: 'stale', why: 'it has not begun; stop it, and order it anew without them' }
  if (['queued', 'running', 'waiting'].includes(stateOfRun(own)))
    return { is: 'stale', why: 'it is not over; stop it, then train again without them' }
  const order = RunOrder.safeParse(job?.ordered).data
  if (!order) return { is: 'stale', why: BEGUN_ELSEWHERE }
  const renewed = renew(stale, order)
  if ('refusal' in renewed) return { is: 'stale', why: renewed.refusal }
  const { why, without } = renewed
  if (order.recipe === 'reward' || order.recipe === 'dpo') return { is: 'trainable', run, why }
  return without.size === 0 ? { is: 'order', run, why } : { is: 'stale', why: `${why}; order it anew on other data` }
}

/** Orders that wait and would train on them. */
export function unbegunIn(stale: Stale): { run: string; again: Again | null }[] {
  return [...stale.runs.values()].flatMap((own) => {
    const isWaiting = !own.folder && ['queued', 'running', 'paused'].includes(stateOfRun(own))
    return isWaiting && isStale(stale, own.run) ? [{ run: own.run, again: againOf(stale, own) }] : []
  })
}

const BEGUN_ELSEWHERE =
  'it was begun at the command line, from files that the server does not run again; train again there, on judgements that are kept anew, with --supersedes'

/** What can be done about a node that rests on them; null: nothing by itself. */
export function againOfNode(stale: Stale, node: Node): Again | null {
  const own = runOf(stale, node)
  switch (node.kind) {
    case 'run':
      return own ? againOf(stale, own) : { is: 'stale', why: BEGUN_ELSEWHERE }
    case 'model':
    case 'checkpoint': {
      const again = own && againOf(stale, own)
      return again?.is === 'superseded' ? again : null
    }
    case 'evaluation':
      return evaluateAgain(stale, node)
    case 'release':
      return {
        is: 'stale',
        why: 'put a model to the rules that does not rest on them',
      }
    default:
      return null
  }
}

/** By the form that takes models that write: those that it was of, or what took their place, the candidate first. */
function evaluateAgain(stale: Stale, node: Node): Again {
  const above = next(stale.graph, node.id, 'up')
  const models = ['model', 'against'].flatMap((as) =>
    above.filter(({ role }) => role === as).map(({ id }) => modelNow(stale, nodeOf(stale.graph, id)!)),
  )
  const refused = models.find((model) => 'refusal' in model)
  if (refused) return { is: 'stale', why: refused.refusal }
  if (models.length < 2) return { is: 'stale', why: 'hone evaluate made it; evaluate again there' }
  return { is: 'evaluate', models: models.flatMap((model) => ('name' in model ? [model.name] : [])) }
}

function modelNow(stale: Stale, node: Node): ReturnType<typeof placeTaken> {
  const own = runOf(stale, node)
  if (own && isStale(stale, own.run)) return placeTaken(stale, own.run)
  if (stale.below.has(node.id)) return { refusal: `${node.label} rests on them too; make it anew first` }
  return { name: own?.run ?? node.label }
}

/** An order of which some versions are still to be made without the answers that they hold, by input. */
type Renewed = { order: RunOrder; without: Map<string, { version: Version; answers: number }>; why: string }

/** The same order, of inputs that rest on no withdrawn answer. */
function renew(stale: Stale, given: RunOrder): Renewed | { refusal: string } {
  const { supersedes: _, ...order } = given
  if (order.branch)
    return { refusal: `it went on from ${order.branch.run}; train that again, then branch from the new run` }
  const inputs = { ...order.inputs }
  const without: Renewed['without'] = new Map()
  const why = new Set<string>()
  for (const [input, value] of Object.entries(inputs)) {
    const takes = takesOf(order.recipe, input)
    if (takes === 'model' || takes === 'reward') {
      if (isStale(stale, value)) {
        const after = placeTaken(stale, value)
        if ('refusal' in after) return after
        inputs[input] = after.name
        why.add(`${value} rests on withdrawn answers, and ${after.name} took its place`)
      } else if (isModelStale(stale, value))
        return { refusal: `${value} rests on them too, and no run here made it; make it anew first` }
    } else if (isRows(takes)) {
      const version = findVersion(stale.workspace, value)
      const label = labelOf(stale.project, version)
      if ([version.version, ...version.parents].some((each) => isMadeOf(stale, each)))
        return { refusal: `${label} was made of what rests on them; make it anew, then order a run of that` }
      const held = stale.holding.find((each) => each.version.version === version.version)
      if (held?.rows === version.rows)
        return { refusal: `nothing is left of ${label} without them; have others judge first` }
      if (!held) continue
      without.set(input, { version, answers: held.rows })
      why.add(`${held.rows} of ${version.rows} rows of ${label} are withdrawn answers`)
    }
  }
  return { order: { ...order, inputs }, without, why: [...why].join('; ') }
}

function isRows(takes: ReturnType<typeof takesOf>): boolean {
  return takes === 'pairs' || takes === 'prompts' || takes === 'demonstrations'
}

/** What a form is to be filled in with; null: the run cannot be ordered so. Versions are called as the project does. */
export function orderAgain(stale: Stale, { run, job }: OwnRun): OrderAgain | null {
  const order = RunOrder.safeParse(job?.ordered).data
  const renewed = order && renew(stale, order)
  if (!renewed || 'refusal' in renewed || renewed.without.size > 0) return null
  const { recipe, inputs, settings, computing } = renewed.order
  const { filePrefix } = stale.project
  const shown = Object.entries(inputs).map(([input, value]) => [
    input,
    isRows(takesOf(recipe, input)) ? value.slice(filePrefix.length) : value,
  ])
  return {
    name: freeName(stale, run).slice(filePrefix.length),
    recipe,
    inputs: Object.fromEntries(shown) as Record<string, string>,
    settings,
    computing,
  }
}

/** Saves what the new run of a `trainable` one reads, and answers what to order, under which name. */
export async function saveAgain(
  stale: Stale,
  { run, job }: OwnRun,
): Promise<{ run: string; order: RunOrder; without: string[] }> {
  const renewed = renew(stale, RunOrder.parse(job?.ordered))
  invariant(!('refusal' in renewed), 'a run that is trainable has an order')
  const inputs = { ...renewed.order.inputs }
  const without: string[] = []
  for (const [input, { version, answers }] of renewed.without) {
    const saved = await saveWithout(stale, version, answers)
    inputs[input] = `${saved.name}@${saved.version}`
    without.push(`${labelOf(stale.project, saved)}, ${saved.rows} of ${version.rows} rows`)
  }
  return {
    run: freeName(stale, run),
    order: { ...renewed.order, inputs, supersedes: { run, why: renewed.why } },
    without,
  }
}

/** In a line of its own, so that the newest version of the old line stays what somebody kept last. */
async function saveWithout(stale: Stale, version: Version, answers: number): Promise<Version> {
  const all: Iterable<object> = versionRows(stale.workspace, version)
  const rows = function* () {
    for (const row of all) if (!isAmong(stale.answers, row)) yield row as never
  }
  const { version: saved } = await saveVersion(stale.workspace, rows(), {
    kind: version.kind,
    name: `${version.name.slice(0, MOST_NAME - SUFFIX.length).replace(new RegExp(`${SUFFIX}$`), '')}${SUFFIX}`,
    parents: [...new Set(parentsOf(stale, version))],
    source: { ...version.source, without: { version: version.version, answers } },
  })
  return saved
}

const SUFFIX = '-without'
/** Longest name of a dataset. */
const MOST_NAME = 64

/** Not the version that held the answers, since what is made of that rests on them: what that was made of. */
function parentsOf(stale: Stale, { parents }: Version): string[] {
  return parents.flatMap((parent) => {
    const held = stale.holding.find(({ version }) => version.version === parent)
    return held ? parentsOf(stale, held.version) : [parent]
  })
}

/** `taste-2` after `taste`, and so on. */
function freeName({ workspace, runs }: Stale, run: string): string {
  const [, stem, last] = /^(.*?)(?:-(\d{1,6}))?$/.exec(run)!
  for (let number = Number(last ?? 1) + 1; ; number++) {
    const name = `${stem}-${number}`
    if (!runs.has(name) && !existsSync(join(workspace, 'runs', name))) return name
  }
}
