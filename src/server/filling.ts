// Draws what fills ask for, one fill at a time, beside the requests, and opens the campaigns that wait for them: a portion of prompts, each kept whole as soon as its
// samples are there. Whatever dies, the fill goes on where it was: what is kept is not drawn again, and what is drawn again
// is the same, for it follows from the seed.
import { saveVersion } from '#data'
import { ConfigError, DataError, EngineError, HttpError } from '#errors'
import type { SamplerLink } from '#sampler/contract'
import type { PromptRow } from '#schema'
import { deriveSeed } from '#stats'
import {
  audit,
  claimFill,
  drawnRows,
  endFill,
  type Fill,
  isBusy,
  isDown,
  keepFill,
  leaveFill,
  listSamples,
  noteModels,
  type Sample,
  saveSamples,
  type Store,
} from '#store'
import { openCampaigns } from './evaluating.ts'
import { pairsOf } from './pairs.ts'
import { promptsOf } from './prompts.ts'

export type Filling = {
  /** There is something to draw. */
  wake(): void
  /** This fill was stopped: what is under way for it ends. */
  stop(fill: string): void
  close(): Promise<void>
}

const LEASE_SECONDS = 60
const KEEP_MILLISECONDS = 5000
/** Fills of a process that died are found so. */
const LOOK_MILLISECONDS = 15_000
const PROMPTS_AT_ONCE = 32
/** A sampler that dies so often without a new sample will not get further by itself. */
const MOST_DEATHS = 5

export function openFilling(o: {
  store: Store
  workspace: string
  sampler: SamplerLink
  onDefect: (error: unknown) => void
}): Filling {
  const { store, onDefect } = o
  const closing = new AbortController()
  let current: { id: string; stopped: AbortController } | undefined
  let isAwake = false
  let nap = (): void => {}

  const work = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      isAwake = false
      try {
        const claimed = await claimFill(store.query, LEASE_SECONDS)
        if (claimed) {
          const { fill, lease } = claimed
          current = { id: fill.id, stopped: new AbortController() }
          await drawFill(fill, { ...o, lease, closing: closing.signal, stopped: current.stopped })
          continue
        }
        await openCampaigns(store, o.workspace)
      } catch (error) {
        if (!isDown(error) && !isBusy(error)) onDefect(error)
      }
      if (!isAwake && !closing.signal.aborted)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, LOOK_MILLISECONDS)
          timer.unref()
          nap = () => {
            clearTimeout(timer)
            resolve()
          }
        })
    }
  }
  const working = work()
  const wake = (): void => {
    isAwake = true
    nap()
  }
  return {
    wake,
    stop(fill) {
      if (current?.id === fill) current.stopped.abort()
    },
    async close() {
      closing.abort()
      wake()
      await working
    },
  }
}

type Drawing = Parameters<typeof openFilling>[0] & {
  lease: string
  closing: AbortSignal
  stopped: AbortController
}

async function drawFill(fill: Fill, o: Drawing): Promise<void> {
  const { store, workspace, lease, closing, stopped } = o
  const signal = AbortSignal.any([closing, stopped.signal])
  const keeping = setInterval(() => {
    keepFill(store.query, lease, LEASE_SECONDS).then(
      (isKept) => isKept || stopped.abort(),
      () => {}, // the next beat, or the lease's end, decides
    )
  }, KEEP_MILLISECONDS)
  try {
    const prompts = promptsOf(workspace, fill.promptsVersion)
    for (const model of fill.models.keys()) await drawModel(fill, model, { ...o, prompts, signal })
    if (signal.aborted) return await leaveFill(store.query, lease)
    await finishFill(fill, prompts, o)
  } catch (error) {
    if (signal.aborted) return await leaveFill(store.query, lease)
    const isSaid =
      error instanceof DataError ||
      error instanceof ConfigError ||
      error instanceof EngineError ||
      error instanceof HttpError
    await endFill(store.query, lease, {
      state: 'failed',
      problem: isSaid ? error.message : 'a defect of hone; the server’s log says more',
    })
    if (!isSaid) throw error
  } finally {
    clearInterval(keeping)
  }
}

async function drawModel(
  fill: Fill,
  model: number,
  o: Drawing & { prompts: readonly PromptRow[]; signal: AbortSignal },
): Promise<void> {
  const { store, sampler, prompts, signal } = o
  const { n, temperature, topP, maxTokens } = fill
  await checkModel(fill, model, o)
  // As hone evaluate --against draws them: a model held against itself must not answer twice the same.
  const seed =
    fill.models.length > 2
      ? deriveSeed(fill.seed, 'round', model)
      : deriveSeed(fill.seed, model === 0 ? 'model' : 'against')
  const { folder } = fill.models[model]!
  const isThere = await drawnRows(store.query, fill.id, model)
  for (let deaths = 0; !signal.aborted; ) {
    const some = prompts
      .map(({ prompt }, row) => ({ row, prompt }))
      .filter(({ row }) => !isThere.has(row))
      .slice(0, PROMPTS_AT_ONCE)
    if (some.length === 0) return
    const before = isThere.size
    try {
      const open = new Map<number, Sample[]>()
      for await (const sample of sampler.draw(
        { folder, prompts: some, n, seed, temperature, topP, maxTokens },
        signal,
      )) {
        const own = open.get(sample.row) ?? []
        open.set(sample.row, own)
        own.push({ ...sample, completion: sample.completion.replaceAll('\0', '\u{fffd}') })
        if (own.length < n) continue
        await saveSamples(store.query, fill.id, model, own)
        isThere.add(sample.row)
      }
    } catch (error) {
      const isGone = error instanceof HttpError && error.status === 503
      deaths = isThere.size > before ? 1 : deaths + 1
      if (!isGone || deaths >= MOST_DEATHS) throw error
    }
  }
}

/** The weights of the first portion are those of all: notes their hash, and refuses others. */
async function checkModel(
  fill: Fill,
  model: number,
  { store, sampler, signal }: Drawing & { signal: AbortSignal },
): Promise<void> {
  const named = fill.models[model]!
  const { hash } = await sampler.load(named.folder, signal)
  if (named.hash !== undefined && named.hash !== hash)
    throw new DataError(
      `expected the weights ${named.hash.slice(0, 12)} of ${named.name}, got ${hash.slice(0, 12)}: they changed while samples were drawn; begin anew under another name`,
    )
  if (named.hash === hash) return
  named.hash = hash
  await noteModels(store.query, fill.id, fill.models)
}

/** The samples become comparisons; doing it again finds the same version. */
async function finishFill(
  fill: Fill,
  prompts: readonly PromptRow[],
  { store, workspace, lease }: Drawing,
): Promise<void> {
  const { id, name, project, models, n, seed, temperature, topP, maxTokens, byId } = fill
  const pairs = pairsOf(fill, prompts, await listSamples(store.query, id))
  const rows = pairs.flatMap(({ comparison }) => (comparison.a === comparison.b ? [] : [comparison]))
  if (rows.length === 0)
    throw new DataError('every pair is twice the same text: raise the temperature, or choose another model')
  const [owner] = await store.query<{ prefix: string }>('select file_prefix as prefix from projects where id = $1', [
    project,
  ])
  const { version } = await saveVersion(workspace, rows, {
    kind: 'comparisons',
    name: `${owner!.prefix}${name}`,
    parents: [fill.promptsVersion],
    source: {
      fill: id,
      models: models.map(({ name: model, hash }) => ({ name: model, hash })),
      settings: { n, seed, temperature, topP, maxTokens },
      equal: pairs.length - rows.length,
    },
  })
  await store.transaction(async (query) => {
    if (!(await endFill(query, lease, { state: 'done', version: version.version }))) return
    const detail = { version: version.version, rows: version.rows, equal: pairs.length - rows.length }
    await audit(query, { actor: byId, project, action: 'fill.done', subject: id, detail })
  })
}
