// Direct preference optimisation: pairs, the model that trains, and its reference, whose log-probabilities are computed
// once and cached under the hash of the model and the pairs.
import fs from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { dpo } from '#align'
import { sha256, writeDurable } from '#files'
import { loadTokenizer } from '#text'
import type { DpoJob } from './jobs.ts'
import { hashModel } from './models.ts'
import { artifactsOf, readPairs } from './rows.ts'
import { asBase, frozen, modelLimit, startOrResume } from './start.ts'
import { pairExamples, requireRows, usable } from './tokens.ts'
import type { Context, Prepared } from './train.ts'
import { readWatched } from './watched.ts'

export async function prepareDpo(job: DpoJob, context: Context): Promise<Prepared> {
  const { engine, say, resume, isDry } = context
  const tokenizer = loadTokenizer(job.model)
  const limits = { maxTokens: modelLimit(job.model) }
  const read = async (file: string, what: string) => {
    const { preferences, from, simulated } = await readPairs(file, { seed: job.config.seed })
    const tokenized = await pairExamples(tokenizer, preferences, limits)
    const pairs = requireRows(tokenized, what, say)
    return { pairs, simulated, ...(from === 'judgements' && { preferences: usable(preferences, tokenized) }) }
  }
  const { pairs, simulated, preferences } = await read(job.data, 'pairs')
  const heldOut = job.heldOut === undefined ? undefined : (await read(job.heldOut, 'held-out pairs')).pairs
  const watched = await readWatched(job, tokenizer, say)
  const cache = cacheFile([
    hashModel(job.model),
    job.dtype ?? 'float32',
    job.baseDtype ?? 'float32',
    ...[...pairs, ...(heldOut ?? [])].map(({ prompt, a, b }) => `${prompt};${a};${b}`),
  ])
  const known = readCache(cache, 2 * (pairs.length + (heldOut?.length ?? 0)))
  if (known) say('reference log-probabilities: taken from the cache')
  const { lora } = job
  const model = await startOrResume(context, 'model', { weights: job.model, lora, seed: job.config.seed })
  const reference = known ? undefined : await frozen(engine, job.model, asBase(model, { folder: job.model, lora }))
  return {
    recipe: dpo({
      engine,
      model,
      reference: known ?? reference!,
      config: job.config,
      pairs,
      ...(heldOut && { heldOut }),
      ...(watched && { watched }),
      ...(resume && { resume }),
    }),
    models: { model },
    result: 'model',
    inputs: artifactsOf({ data: job.data, heldOut: job.heldOut, watch: job.watch }, { model: job.model }),
    simulated,
    ...(preferences && { preferences }),
    onReference: async (logprobs) => {
      if (reference) await engine.release(reference)
      if (isDry) return
      try {
        fs.mkdirSync(dirname(cache), { recursive: true })
        writeDurable(cache, new Uint8Array(logprobs.buffer, logprobs.byteOffset, logprobs.byteLength))
      } catch (cause) {
        // A cache only saves time: a home that may not be written to must not end the run.
        say(`reference log-probabilities are not cached: ${(cause as Error).message}`)
      }
    },
  }
}

/** HONE_CACHE, or the user's cache folder. */
function cacheFile(parts: string[]): string {
  const root = process.env.HONE_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hone')
  return join(root, 'reference', `${sha256(parts.join('\n'))}.f64`)
}

function readCache(file: string, count: number): Float64Array | undefined {
  if (!fs.existsSync(file) || fs.statSync(file).size !== count * 8) return undefined
  const bytes = fs.readFileSync(file)
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
}
