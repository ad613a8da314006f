// GGUF's metadata of a folder's tokenizer: vocabulary, merges, special tokens and chat templates, as llama.cpp's own
// converter writes them. A pre-tokenizer that llama.cpp has no name for is refused: it would cut text otherwise than the
// model was trained on, and say nothing.
import fs from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { loadTokenizer, type Tokenizer } from '#text'
import { readJson } from '../config.ts'
import { type PreTokenizer, PRE_TOKENIZERS } from './pre-tokenizers.ts'
import { TOKEN_TYPE } from './read-tokenizer.ts'
import { type Entry, flag, int32s, text, texts, uint32 } from './write-metadata.ts'

/** `vocabSize`: rows of the embedding; ids that no token has are named as unused. */
export function writeTokenizer(folder: string, vocabSize: number): Entry[] {
  const tokenizer = loadTokenizer(folder)
  const file = join(folder, 'tokenizer.json')
  const json = TokenizerJson.parse(readJson(file))
  if (tokenizer.vocabSize > vocabSize)
    throw new DataError(`has ${tokenizer.vocabSize} tokens, the model ${vocabSize}`, { file })
  const words = Array.from({ length: vocabSize }, (_, id) => `[PAD${id}]`)
  const types: number[] = words.map(() => TOKEN_TYPE.unused)
  for (const [word, id] of Object.entries(json.model.vocab)) {
    words[id] = word
    types[id] = TOKEN_TYPE.normal
  }
  for (const { id, content, special } of json.added_tokens) {
    words[id] = content
    types[id] = special ? TOKEN_TYPE.control : TOKEN_TYPE.userDefined
  }
  return [
    text('tokenizer.ggml.model', 'gpt2'),
    text('tokenizer.ggml.pre', preTokenizerOf(json, file).names[0]!),
    texts('tokenizer.ggml.tokens', words),
    int32s('tokenizer.ggml.token_type', types),
    texts(
      'tokenizer.ggml.merges',
      json.model.merges.map((merge) => (typeof merge === 'string' ? merge : merge.join(' '))),
    ),
    ...roleEntries(tokenizer, words),
    flag('tokenizer.ggml.add_bos_token', tokenizer.encodePrompt('').length > 0),
    flag('tokenizer.ggml.add_space_prefix', false),
    ...templateEntries(folder),
  ]
}

/** Checked already by loadTokenizer; here only what is copied. */
const TokenizerJson = z.object({
  added_tokens: z
    .array(z.object({ id: z.number(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
  normalizer: z.unknown(),
  pre_tokenizer: z.unknown(),
  model: z.object({
    ignore_merges: z.boolean().default(false),
    vocab: z.custom<Record<string, number>>(),
    merges: z.array(z.union([z.string(), z.array(z.string())])),
  }),
})
type TokenizerJson = z.infer<typeof TokenizerJson>

function preTokenizerOf({ normalizer, pre_tokenizer, model }: TokenizerJson, file: string): PreTokenizer {
  const asked = comparable(pre_tokenizer)
  const found = PRE_TOKENIZERS.find(
    (known) =>
      isDeepStrictEqual(comparable(known.preTokenizer), asked) &&
      known.normalises === Boolean(normalizer) &&
      known.ignoresMerges === model.ignore_merges,
  )
  if (found) return found
  throw new ConfigError(
    `--gguf: llama.cpp has no name for the way ${file} cuts text (pre_tokenizer, normalizer, ignore_merges), so it would read the model's prompts otherwise; ` +
      `known are those of ${PRE_TOKENIZERS.map(({ names }) => names[0]).join(', ')}; export a folder instead`,
  )
}

const Cut = z.union([
  z.object({ type: z.literal('Digits'), individual_digits: z.boolean() }),
  z.object({ type: z.literal('Split'), pattern: z.object({ Regex: z.string() }) }),
  z.object({ type: z.literal('ByteLevel'), add_prefix_space: z.boolean(), use_regex: z.boolean().default(true) }),
])
const Cuts = z.object({ type: z.literal('Sequence'), pretokenizers: z.array(Cut) }).transform((s) => s.pretokenizers)

/** The steps without fields that change nothing (trim_offsets) or that have one value. */
function comparable(preTokenizer: unknown): unknown {
  return z.union([Cuts, Cut.transform((cut) => [cut])]).safeParse(preTokenizer).data
}

function roleEntries({ eosId, eosIds, bosId, padId, template }: Tokenizer, words: string[]): Entry[] {
  const unknown = template?.variables.unk_token
  const unknownId = typeof unknown === 'string' && unknown ? words.indexOf(unknown) : -1
  // The format has names for three: end of text, of a turn, of a message.
  const [turn, message, ...more] = eosIds.filter((id) => id !== eosId)
  if (more.length > 0)
    throw new ConfigError(`--gguf: expected at most 3 end tokens, got ${eosIds.length}; export a folder instead`)
  return [
    ...(bosId === undefined ? [] : [uint32('tokenizer.ggml.bos_token_id', bosId)]),
    uint32('tokenizer.ggml.eos_token_id', eosId),
    ...(turn === undefined ? [] : [uint32('tokenizer.ggml.eot_token_id', turn)]),
    ...(message === undefined ? [] : [uint32('tokenizer.ggml.eom_token_id', message)]),
    ...(unknownId < 0 ? [] : [uint32('tokenizer.ggml.unknown_token_id', unknownId)]),
    uint32('tokenizer.ggml.padding_token_id', padId ?? eosId),
  ]
}

const Templates = z.object({
  chat_template: z.union([z.string(), z.array(z.object({ name: z.string(), template: z.string() }))]).nullish(),
})

/** Its own file wins over tokenizer_config.json, as everywhere. */
function templateEntries(folder: string): Entry[] {
  const file = join(folder, 'chat_template.jinja')
  if (fs.existsSync(file)) return [text('tokenizer.chat_template', fs.readFileSync(file, 'utf8'))]
  const settings = join(folder, 'tokenizer_config.json')
  const stated = fs.existsSync(settings) ? Templates.parse(readJson(settings)).chat_template : undefined
  if (!stated) return []
  const named = typeof stated === 'string' ? [{ name: 'default', template: stated }] : stated
  const others = named.filter(({ name }) => name !== 'default')
  return [
    ...named.flatMap(({ name, template }) => (name === 'default' ? [text('tokenizer.chat_template', template)] : [])),
    ...(others.length > 0
      ? [
          texts(
            'tokenizer.chat_templates',
            others.map(({ name }) => name),
          ),
        ]
      : []),
    ...others.map(({ name, template }) => text(`tokenizer.chat_template.${name}`, template)),
  ]
}
