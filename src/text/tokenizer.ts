// A Hugging Face folder's tokenizer: text to ids by @huggingface/tokenizers, ids to text by our own byte table, so that
// decoding is exact, streams, and never tidies spaces. Special tokens of prompts are added by hone and by chat
// templates, never by the library's post-processor.
import fs from 'node:fs'
import { join } from 'node:path'
import { Tokenizer as Library } from '@huggingface/tokenizers'
import { z } from 'zod'
import { DataError } from '#errors'
import { unspell } from './byte-alphabet.ts'
import type { ChatTemplate } from './template.ts'
import { asReferenceCuts } from './reference-cuts.ts'
import { parseTokenizerJson, type TokenizerFile } from './tokenizer-json.ts'

export type Tokenizer = {
  /** The text's ids and nothing around them. Special tokens spelled out in the text become their ids. */
  encode(text: string): Int32Array
  /** As `encode`, after the beginning-of-sequence token if this tokenizer puts one before each text. */
  encodePrompt(text: string): Int32Array
  /** Exact: bytes joined, then UTF-8; an incomplete character is U+FFFD. Ids of no token give nothing. */
  decode(tokens: ArrayLike<number>, o?: { skipSpecial?: boolean }): string
  /** Bytes of one token; empty for an id of no token. */
  bytesOf(token: number): Uint8Array
  /** Highest id + 1; a model's may be larger by padding. */
  vocabSize: number
  /** Trained after each completion. */
  eosId: number
  /** All that end a completion when sampled; holds eosId. */
  eosIds: number[]
  /** Never one of eosIds: absent when the files say so. */
  padId?: number
  bosId?: number
  specialIds: ReadonlySet<number>
  /** True when text is normalised (NFC) before it is cut, so that decoding gives the normalised text. */
  normalises: boolean
  template?: ChatTemplate
  folder: string
}

/** Larger tokenizer files are not tokenizers: the largest known vocabularies take 35 MB. */
const LARGEST_FILE = 100 * 2 ** 20

/** Reads tokenizer.json, tokenizer_config.json, special_tokens_map.json, chat_template.jinja and the end tokens of generation_config.json and config.json. Any breach is a DataError with file and field. */
export function loadTokenizer(folder: string): Tokenizer {
  const file = join(folder, 'tokenizer.json')
  const json = readOptional(file)
  if (json === undefined) throw new DataError('is missing; expected a folder with a fast tokenizer', { file })
  const parsed = parseTokenizerJson(json, file)
  const library = openLibrary(parsed, file)
  const { bytes, idOf, specialIds } = readTable(parsed)
  const { addsBos, ...roles } = readRoles(folder, { idOf, vocabSize: bytes.length, file: parsed })
  const normalises = Boolean(parsed.normalizer)
  const encode = (text: string) => {
    const ids = Int32Array.from(library.encode(text, { add_special_tokens: false }).ids)
    // The library drops bytes that no token covers without a word.
    const expected = Buffer.byteLength(normalises ? text.normalize('NFC') : text)
    const covered = ids.reduce((sum, id) => sum + (bytes[id]?.byteLength ?? 0), 0)
    if (covered !== expected)
      throw new DataError(
        `has tokens for ${covered} of the ${expected} bytes of ${JSON.stringify(text.slice(0, 80))}`,
        {
          file,
        },
      )
    return ids
  }
  return {
    encode,
    encodePrompt: (text) => (addsBos ? Int32Array.from([roles.bosId!, ...encode(text)]) : encode(text)),
    decode: (tokens, { skipSpecial = false } = {}) => {
      const kept = Array.from(tokens).filter((id) => !(skipSpecial && specialIds.has(id)))
      return Buffer.concat(kept.map((id) => bytes[id] ?? EMPTY)).toString('utf8')
    },
    bytesOf: (token) => bytes[token] ?? EMPTY,
    vocabSize: bytes.length,
    specialIds,
    normalises,
    folder,
    ...roles,
  }
}

const EMPTY = new Uint8Array(0)

function openLibrary(parsed: TokenizerFile, file: string): Library {
  try {
    // post_processor: hone adds special tokens itself.
    return new Library(
      {
        ...parsed,
        normalizer: parsed.normalizer ?? null,
        pre_tokenizer: asReferenceCuts(parsed.pre_tokenizer),
        post_processor: null,
      },
      {},
    )
  } catch (cause) {
    throw new DataError(`is not understood: ${(cause as Error).message}`, { file }, { cause })
  }
}

/** Bytes of every id, ids of every word, and which are special. */
function readTable({ model, added_tokens }: TokenizerFile) {
  const bytes: Uint8Array[] = []
  const idOf = new Map<string, number>()
  const put = (word: string, id: number, content: Uint8Array) => {
    while (bytes.length <= id) bytes.push(EMPTY)
    bytes[id] = content
    idOf.set(word, id)
  }
  for (const [word, id] of Object.entries(model.vocab)) put(word, id, unspell(word) ?? Buffer.from(word))
  for (const { content, id } of added_tokens) put(content, id, Buffer.from(content))
  return { bytes, idOf, specialIds: new Set(added_tokens.filter((t) => t.special).map((t) => t.id)) }
}

const Role = z.union([z.string(), z.object({ content: z.string() }).transform((t) => t.content)]).nullish()
const RoleFile = z.object({
  bos_token: Role,
  eos_token: Role,
  pad_token: Role,
  unk_token: Role,
  add_bos_token: z.boolean().nullish(),
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
})
const RoleIds = z.object({
  bos_token_id: z.number().int().nullish(),
  eos_token_id: z.union([z.number().int(), z.array(z.number().int())]).nullish(),
  pad_token_id: z.number().int().nullish(),
})

type Roles = Pick<Tokenizer, 'eosId' | 'eosIds' | 'padId' | 'bosId' | 'template'> & { addsBos: boolean }
type Known = { idOf: Map<string, number>; vocabSize: number; file: TokenizerFile }

/** Who says what a token is for, first wins: tokenizer_config.json, special_tokens_map.json, then the model's ids. */
function readRoles(folder: string, known: Known): Roles {
  const config = parseOptional(join(folder, 'tokenizer_config.json'), RoleFile)
  const map = parseOptional(join(folder, 'special_tokens_map.json'), RoleFile)
  const models = ['generation_config.json', 'config.json'].map((name) => parseOptional(join(folder, name), RoleIds))
  const role = (name: 'bos_token' | 'eos_token' | 'pad_token') => {
    const word = config[name] ?? map[name]
    if (word === null || word === undefined)
      return models.map((m) => m[`${name}_id`]).find((id) => id !== null && id !== undefined)
    const id = known.idOf.get(word)
    if (id === undefined)
      throw new DataError(`${JSON.stringify(word)} is no token of tokenizer.json`, {
        file: join(folder, 'tokenizer_config.json'),
        field: name,
      })
    return id
  }
  const [eosId, ...more] = [role('eos_token'), ...models.map((m) => m.eos_token_id)]
    .flat()
    .filter((id) => typeof id === 'number' && id >= 0 && id < known.vocabSize) as number[]
  if (eosId === undefined)
    throw new DataError('names no end-of-sequence token; set eos_token', {
      file: join(folder, 'tokenizer_config.json'),
    })
  const eosIds = [...new Set([eosId, ...more])]
  const pad = [role('pad_token')].flat()[0]
  const bos = [role('bos_token')].flat()[0]
  const text = templateText(folder, config.chat_template)
  const variables = Object.fromEntries(
    (['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const).map((name) => [
      name,
      config[name] ?? map[name] ?? '',
    ]),
  )
  return {
    eosId,
    eosIds,
    ...(typeof pad === 'number' && pad >= 0 && !eosIds.includes(pad) && { padId: pad }),
    ...(typeof bos === 'number' && bos >= 0 && { bosId: bos }),
    ...(text !== undefined && { template: { ...text, variables } }),
    addsBos: typeof bos === 'number' && (config.add_bos_token ?? putsBosFirst(known.file, bos)),
  }
}

function templateText(folder: string, field: z.infer<typeof RoleFile>['chat_template']) {
  const file = join(folder, 'chat_template.jinja')
  if (fs.existsSync(file)) return { text: fs.readFileSync(file, 'utf8'), file }
  const text = typeof field === 'string' ? field : field?.find(({ name }) => name === 'default')?.template
  return text === undefined ? undefined : { text, file: join(folder, 'tokenizer_config.json') }
}

const Template = z.object({
  type: z.literal('TemplateProcessing'),
  single: z.array(z.object({ SpecialToken: z.object({ id: z.string() }).optional() })),
})
const Processors = z.object({ type: z.literal('Sequence'), processors: z.array(z.unknown()) })

/** True if tokenizer.json's post-processor begins each text with that token. */
function putsBosFirst({ post_processor, added_tokens }: TokenizerFile, bosId: number): boolean {
  const bos = added_tokens.find(({ id }) => id === bosId)?.content
  const sequence = Processors.safeParse(post_processor)
  const processors = sequence.success ? sequence.data.processors : [post_processor]
  return processors.some((processor) => {
    const template = Template.safeParse(processor)
    return template.success && bos !== undefined && template.data.single[0]?.SpecialToken?.id === bos
  })
}

function parseOptional<T extends z.ZodObject>(file: string, schema: T): Partial<z.infer<T>> {
  const result = schema.partial().safeParse(readOptional(file) ?? {})
  if (result.success) return result.data as Partial<z.infer<T>>
  const issue = result.error.issues[0]
  throw new DataError(issue?.message ?? 'is not understood', { file, field: issue?.path.join('.') ?? '' })
}

/** Parsed JSON, undefined if there is no such file. */
function readOptional(file: string): unknown {
  if (!fs.existsSync(file)) return undefined
  const size = fs.statSync(file).size
  if (size > LARGEST_FILE) throw new DataError(`expected at most ${LARGEST_FILE} bytes, got ${size}`, { file })
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
}
