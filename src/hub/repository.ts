// A model on the Hub: what it is called, which commit a revision stands for, and which of its files make a model. Only
// safetensors, configuration and tokenizer are ever asked for; a pickle is not.
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { ask, refused } from './ask.ts'
import type { Hub } from './environment.ts'

/** `name`: `owner/name`, or `name` for the oldest models. `revision`: a branch, tag or commit. */
export type Reference = { name: string; revision: string }
export type Listing = { commit: string; files: Set<string> }

export const WEIGHTS = 'model.safetensors'
export const INDEX = 'model.safetensors.index.json'
const ADAPTER = 'adapter_model.safetensors'

/** Beside the weights, as far as they are there. */
const SIDES = [
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
  'adapter_config.json',
  'LICENSE',
  'LICENSE.txt',
  'LICENSE.md',
]
/** The longest listings, of thousands of files, take a few megabytes. */
const MOST_JSON_BYTES = 32 * 2 ** 20

/** `NAME[@REVISION]`; the revision is `main` when none is given. */
export function parseReference(given: string): Reference {
  const [name = '', revision = 'main', ...more] = given.split('@')
  const isName = /^[\w.-]{1,96}(\/[\w.-]{1,96})?$/.test(name)
  const isRevision = /^\w[\w./-]{0,199}$/.test(revision)
  // Both become names of folders.
  if (
    !isName ||
    !isRevision ||
    more.length > 0 ||
    given.split(/[/@]/).some((part) => /^\.+$/.test(part)) ||
    name.includes('--')
  )
    throw new ConfigError(
      `expected NAME[@REVISION], such as HuggingFaceTB/SmolLM2-135M-Instruct@main, got ${JSON.stringify(given)}`,
    )
  return { name, revision }
}

/** The commit that the revision stands for now, and its files. */
export async function list(hub: Hub, { name, revision }: Reference, signal?: AbortSignal): Promise<Listing> {
  const address = `${hub.endpoint}/api/models/${name}/revision/${encodeURIComponent(revision)}`
  const { response } = await ask(hub, address, { signal })
  if (response.status !== 200) {
    await response.body?.cancel()
    throw refused(hub, response.status, `${name}@${revision}`)
  }
  const parsed = Answer.safeParse(parseJson(await readText(response, address), address))
  if (!parsed.success)
    throw new DataError(`expected the Hub's description of a model: ${parsed.error.issues[0]?.message}`, {
      file: address,
      field: parsed.error.issues[0]?.path.join('.') ?? '',
    })
  const { sha, siblings } = parsed.data
  return { commit: sha, files: new Set(siblings.map((s) => s.rfilename)) }
}

/** Files to fetch first; after INDEX, if it is among them, come the shards that it names. */
export function choose({ name }: Reference, { files }: Listing): string[] {
  const weights = [WEIGHTS, INDEX, ADAPTER].find((file) => files.has(file))
  if (weights === undefined) {
    const pickle = [...files].find((file) => /\.(bin|pt|pth|ckpt|pkl)$/.test(file))
    throw new DataError(
      pickle === undefined
        ? `expected ${WEIGHTS} or ${INDEX}, got neither`
        : `has its weights as a pickle (${pickle}), which can run any code and is never fetched; look for a revision with safetensors`,
      { file: name },
    )
  }
  return [...SIDES.filter((file) => files.has(file)), weights]
}

/** Shards named by an index, whose text was fetched. */
export function shardsOf(text: string, { files }: Listing, file: string): string[] {
  const parsed = Index.safeParse(parseJson(text, file))
  if (!parsed.success) throw new DataError(parsed.error.issues[0]!.message, { file, field: 'weight_map' })
  const shards = [...new Set(Object.values(parsed.data.weight_map))].sort()
  for (const shard of shards)
    if (!files.has(shard)) throw new DataError(`names ${shard}, which the model does not have`, { file })
  return shards
}

const Answer = z.object({
  sha: z.string().regex(/^[0-9a-f]{40}$/, 'expected a commit of 40 hex digits'),
  siblings: z.array(z.object({ rfilename: z.string() })),
})
const Index = z.object({
  weight_map: z.record(
    z.string(),
    z.string().regex(/^\w[\w.-]*\.safetensors$/, 'expected the plain name of a .safetensors file'),
  ),
})

async function readText(response: Response, file: string): Promise<string> {
  const pieces: Uint8Array[] = []
  let bytes = 0
  for await (const piece of response.body ?? []) {
    bytes += piece.byteLength
    if (bytes > MOST_JSON_BYTES) throw new DataError(`expected at most ${MOST_JSON_BYTES} bytes`, { file })
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DataError('expected JSON; is HF_ENDPOINT a Hub?', { file }, { cause })
  }
}
