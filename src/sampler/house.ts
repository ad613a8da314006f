// The models of one sampler process: opened when first asked for, the longest unused one closed when there are too many.
// Each has one stream of samples, which fills of campaigns and clients of the API join alike.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import type { SampleEvent, SampleRequest } from '#engine/contract'
import { filesUnder, hashFolder } from '#files'
import { choosePrecision, createEmbeddedEngine, readConfig } from '#lm'
import { loadTokenizer, type Tokenizer } from '#text'
import { openSampler, type Sampler } from './sampler.ts'

export type OpenedModel = {
  folder: string
  hash: string
  tokenizer: Tokenizer
  contextTokens: number
  sampler: Sampler
  close(): Promise<void>
}

export type House = {
  /** Holds the model open while `use` runs. Nothing else is loaded meanwhile only if all places are taken. */
  use<T>(name: string, use: (model: OpenedModel) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** `resolve`: the folder behind a name. `most`: models in memory at once. */
export function openHouse({
  resolve,
  device,
  most,
}: {
  resolve: (name: string) => string
  device: string
  most: number
}): House {
  /** Longest unused first. */
  const rooms = new Map<string, { model: Promise<OpenedModel>; users: number }>()
  let turn: Promise<unknown> = Promise.resolve()

  /** One at a time, so that two askers of one model load it once and no more than `most` are ever there. */
  async function enter(folder: string, key: string): Promise<{ model: Promise<OpenedModel>; users: number }> {
    let room = rooms.get(key)
    if (!room) {
      await makePlace()
      room = { model: openModel(folder, device), users: 0 }
    }
    rooms.delete(key)
    rooms.set(key, room)
    room.users++
    return room
  }

  async function makePlace(): Promise<void> {
    while (rooms.size >= most) {
      const idle = [...rooms].find(([, { users }]) => users === 0)
      if (!idle) throw new ConfigError(`${most} models are in use, which is all that are held at once: come again`)
      rooms.delete(idle[0])
      await (await idle[1].model).close()
    }
  }

  return {
    async use(name, use) {
      const folder = resolve(name)
      // Files that changed are another model: what is in memory is no longer what lies there.
      const key = `${folder}\n${stampOf(folder)}`
      const entered = turn.then(() => enter(folder, key))
      turn = entered.catch(() => {})
      const room = await entered
      try {
        return await use(await room.model)
      } finally {
        room.users--
        if (await room.model.then(() => false).catch(() => true)) rooms.delete(key)
      }
    },
    async close() {
      for (const { model } of rooms.values()) await model.then((opened) => opened.close()).catch(() => {})
      rooms.clear()
    },
  }
}

/** Changes when a file does: names, sizes and times, which cost less to read than content. */
function stampOf(folder: string): string {
  return filesUnder(folder)
    .map((path) => {
      const { size, mtimeMs, ino } = fs.statSync(join(folder, path))
      return `${path} ${size} ${mtimeMs} ${ino}`
    })
    .join('\n')
}

async function openModel(folder: string, device: string): Promise<OpenedModel> {
  const { architecture, maxPositionEmbeddings: contextTokens } = readConfig(folder)
  if (architecture.endsWith('ForSequenceClassification'))
    throw new DataError(`expected a language model, got ${architecture}, which scores texts`, { file: folder })
  const hash = hashFolder(folder)
  const tokenizer = loadTokenizer(folder)
  const engine = createEmbeddedEngine({ device, precision: choosePrecision('auto', device) })
  const model = await engine.load({ from: { weights: folder }, trains: 'nothing' })
  const sampler = openSampler(engine, model)
  return {
    folder,
    hash,
    tokenizer,
    contextTokens,
    sampler,
    async close() {
      await sampler.idle()
      await engine.release(model)
    },
  }
}

/** Events of several requests at once, each under its own id, in the order in which they come. */
export async function* sampleAll(
  sampler: Sampler,
  requests: readonly SampleRequest[],
  signal: AbortSignal,
): AsyncGenerator<SampleEvent> {
  const left = new AbortController()
  const both = AbortSignal.any([signal, left.signal])
  const events: SampleEvent[] = []
  let [open, wake, failure] = [requests.length, (): void => {}, undefined as { error: unknown } | undefined]
  const follow = async ({ id, ...request }: SampleRequest): Promise<void> => {
    try {
      for await (const event of sampler.sample(request, both)) {
        events.push({ ...event, id })
        wake()
      }
    } catch (error) {
      failure ??= { error }
    } finally {
      open--
      wake()
    }
  }
  const followed = Promise.all(requests.map(follow))
  try {
    for (;;) {
      const some = events.splice(0)
      yield* some
      if (some.length > 0) continue
      if (failure) throw failure.error
      if (open === 0) return
      await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    left.abort()
    await followed
  }
}
