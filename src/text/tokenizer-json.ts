// tokenizer.json, checked before anything runs on it: byte-level BPE, every id and merge consistent, only known split
// patterns. Whatever else a tokenizer.json can say (WordPiece, Unigram, SentencePiece BPE) is refused by name.
import { z } from 'zod'
import { DataError } from '#errors'
import { unspell } from './byte-alphabet.ts'
import { KNOWN_PATTERNS } from './split-patterns.ts'

const Split = z.object({
  type: z.literal('Split'),
  pattern: z.object({ Regex: z.string().refine((p) => KNOWN_PATTERNS.has(p), 'is not a known split pattern') }),
  behavior: z.literal('Isolated'),
  invert: z.literal(false).optional(),
})
const Digits = z.object({ type: z.literal('Digits'), individual_digits: z.boolean() })
const ByteLevel = z.object({
  type: z.literal('ByteLevel'),
  add_prefix_space: z.boolean(),
  use_regex: z.boolean().optional(),
})
const PreTokenizer = z.union([
  ByteLevel,
  z.object({
    type: z.literal('Sequence'),
    pretokenizers: z
      .array(z.union([Split, Digits, ByteLevel]))
      .min(1)
      .max(4),
  }),
])

/** Only to learn whether it puts a beginning-of-sequence token in front; hone adds tokens itself. */
const PostProcessor = z.object({ type: z.string() }).loose()
const Merge = z.union([z.string(), z.tuple([z.string(), z.string()])])
/** Far above any vocabulary; larger ids would only make tables large. */
const HIGHEST_ID = 2 ** 22
const TokenId = z.number().int().min(0).max(HIGHEST_ID)

const AddedToken = z.object({
  id: TokenId,
  content: z.string().min(1),
  single_word: z.literal(false).optional(),
  lstrip: z.literal(false).optional(),
  rstrip: z.literal(false).optional(),
  normalized: z.boolean().optional(),
  special: z.boolean().default(false),
})

const TokenizerFile = z.object({
  added_tokens: z.array(AddedToken).default([]),
  normalizer: z.object({ type: z.literal('NFC') }).nullish(),
  pre_tokenizer: PreTokenizer,
  post_processor: PostProcessor.nullish(),
  decoder: z.object({ type: z.literal('ByteLevel') }).loose(),
  model: z.object({
    type: z.literal('BPE').optional(),
    dropout: z.null().optional(),
    continuing_subword_prefix: z.literal('').nullish(),
    end_of_word_suffix: z.literal('').nullish(),
    byte_fallback: z.literal(false).optional(),
    ignore_merges: z.boolean().default(false),
    vocab: z.custom<Record<string, number>>(isVocabulary, 'expected token ids by word'),
    merges: z.array(Merge),
  }),
})

export type TokenizerFile = z.infer<typeof TokenizerFile>

/** The file's content, checked, in the form the library takes. Any breach is a DataError with the field. */
export function parseTokenizerJson(json: unknown, file: string): TokenizerFile {
  const result = TokenizerFile.safeParse(json)
  if (!result.success) {
    const issue = result.error.issues[0]
    const field = issue?.path.join('.') ?? ''
    throw new DataError(
      `expected byte-level BPE as hone runs it: ${issue?.message}`,
      { file, field },
      { cause: result.error },
    )
  }
  const parsed = result.data
  checkByteLevel(parsed.pre_tokenizer, file)
  checkVocabulary(parsed, file)
  parsed.model.merges = parsed.model.merges.map((merge, i) => checkedMerge(merge, parsed.model.vocab, { file, i }))
  return parsed
}

/** Checked by hand: zod's record drops the word `__proto__`, and takes long for the largest vocabularies. */
function isVocabulary(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.values(value).every((id) => Number.isInteger(id) && id >= 0 && id <= HIGHEST_ID)
}

/** Bytes must be spelled exactly once, last. */
function checkByteLevel(pre: z.infer<typeof PreTokenizer>, file: string): void {
  if (pre.type === 'ByteLevel') return
  const levels = pre.pretokenizers.filter((p) => p.type === 'ByteLevel').length
  if (levels !== 1 || pre.pretokenizers.at(-1)?.type !== 'ByteLevel')
    throw new DataError('expected ByteLevel once, as the last', { file, field: 'pre_tokenizer.pretokenizers' })
}

function checkVocabulary({ model, added_tokens }: TokenizerFile, file: string): void {
  const wordOf = new Map<number, string>()
  const claim = (word: string, id: number, field: string) => {
    const other = wordOf.get(id)
    if (other !== undefined && other !== word)
      throw new DataError(`id ${id} is given to both ${JSON.stringify(other)} and ${JSON.stringify(word)}`, {
        file,
        field,
      })
    wordOf.set(id, word)
  }
  for (const [word, id] of Object.entries(model.vocab)) claim(word, id, 'model.vocab')
  const contents = new Set<string>()
  for (const { content, id } of added_tokens) {
    if (contents.has(content))
      throw new DataError(`names ${JSON.stringify(content)} twice`, { file, field: 'added_tokens' })
    contents.add(content)
    const inVocabulary = Object.hasOwn(model.vocab, content) ? model.vocab[content] : id
    if (inVocabulary !== id)
      throw new DataError(`${JSON.stringify(content)} has id ${id} here and ${inVocabulary} in model.vocab`, {
        file,
        field: 'added_tokens',
      })
    claim(content, id, 'added_tokens')
  }
  if (wordOf.size === 0) throw new DataError('expected tokens, got none', { file, field: 'model.vocab' })
  for (const [id, word] of wordOf)
    if (!contents.has(word) && unspell(word) === undefined)
      throw new DataError(`token ${id} ${JSON.stringify(word)} is not spelled in bytes`, { file, field: 'model.vocab' })
}

function checkedMerge(
  merge: z.infer<typeof Merge>,
  vocab: Record<string, number>,
  { file, i }: { file: string; i: number },
): [string, string] {
  const [left, right, more] = typeof merge === 'string' ? merge.split(' ') : merge
  const isWhole = left !== undefined && right !== undefined && more === undefined
  if (!isWhole || ![left, right, left + right].every((word) => Object.hasOwn(vocab, word)))
    throw new DataError(`expected two tokens whose join is a token, got ${JSON.stringify(merge)}`, {
      file,
      field: `model.merges[${i}]`,
    })
  return [left, right]
}
