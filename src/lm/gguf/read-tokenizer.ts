// tokenizer.json and tokenizer_config.json from GGUF's metadata: byte-level BPE (`gpt2` in tokenizer.ggml.model), its
// vocabulary, merges, special tokens, chat templates. Left out: the other models (llama, which is SentencePiece; bert,
// t5, rwkv), each refused by name: hone runs byte-level BPE only.
import type { Fields } from './fields.ts'
import { type PreTokenizer, PRE_TOKENIZERS } from './pre-tokenizers.ts'

export type TokenIds = { bos_token_id?: number; eos_token_id: number | number[]; pad_token_id?: number }
export type TokenizerFiles = { tokenizer: Record<string, unknown>; settings: Record<string, unknown>; ids: TokenIds }

/** llama_token_type: what a token is for. */
export const TOKEN_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const

/** Any key that is missing, contradicts another or asks for what hone does not run: a DataError that names it. */
export function readTokenizer(fields: Fields): TokenizerFiles {
  const model = fields.text('tokenizer.ggml.model')
  if (model !== 'gpt2')
    throw fields.refuse(
      'tokenizer.ggml.model',
      `expected gpt2, which is byte-level BPE, got ${JSON.stringify(model)}: that tokenizer is not run`,
    )
  const words = [...fields.strings('tokenizer.ggml.tokens')]
  const types = fields.numbers('tokenizer.ggml.token_type')
  if (types.length !== words.length)
    throw fields.refuse('tokenizer.ggml.token_type', `expected ${words.length} types, one a token, got ${types.length}`)
  const cut = preTokenizerOf(fields)
  const word = (role: string) => {
    const key = `tokenizer.ggml.${role}_token_id`
    if (!fields.has(key)) return undefined
    const id = fields.whole(key)
    if (words[id] === undefined) throw fields.refuse(key, `expected an id below ${words.length}, got ${id}`)
    return { id, word: words[id] }
  }
  const eos = word('eos')
  if (!eos) throw fields.refuse('tokenizer.ggml.eos_token_id', 'expected the token that ends a completion, got nothing')
  const ends = [...new Set([eos.id, ...['eot', 'eom'].flatMap((role) => word(role)?.id ?? [])])]
  const roles = { bos: word('bos'), eos, unk: word('unknown'), pad: word('padding') }
  const addsBos = fields.flag('tokenizer.ggml.add_bos_token', cut.addsBos)
  if (addsBos && !roles.bos)
    throw fields.refuse('tokenizer.ggml.bos_token_id', 'expected the token that begins each text, got nothing')
  if (fields.flag('tokenizer.ggml.add_eos_token', false))
    throw fields.refuse('tokenizer.ggml.add_eos_token', 'expected false: a prompt that ends a text cannot be completed')
  return {
    tokenizer: tokenizerJson(fields, { words, types, cut, ...(addsBos && { bos: roles.bos }) }),
    settings: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...Object.fromEntries(
        Object.entries(roles).flatMap(([role, token]) => (token ? [[`${role}_token`, token.word]] : [])),
      ),
      add_bos_token: addsBos,
      clean_up_tokenization_spaces: false,
      ...chatTemplate(fields),
    },
    ids: {
      ...(roles.bos && { bos_token_id: roles.bos.id }),
      eos_token_id: ends.length > 1 ? ends : eos.id,
      ...(roles.pad && { pad_token_id: roles.pad.id }),
    },
  }
}

function preTokenizerOf(fields: Fields): PreTokenizer {
  const name = fields.text('tokenizer.ggml.pre')
  const found = PRE_TOKENIZERS.find(({ names }) => names.includes(name))
  if (found) return found
  const known = PRE_TOKENIZERS.flatMap(({ names }) => names).join(', ')
  throw fields.refuse('tokenizer.ggml.pre', `expected one of ${known}, got ${JSON.stringify(name)}`)
}

type Parts = {
  words: string[]
  types: number[]
  cut: PreTokenizer
  bos?: { id: number; word: string } | undefined
}

function tokenizerJson(fields: Fields, { words, types, cut, bos }: Parts): Record<string, unknown> {
  const vocabulary = new Map<string, number>()
  const added: Record<string, unknown>[] = []
  words.forEach((content, id) => {
    const type = types[id]
    // A name that fills a hole: no text becomes it.
    if (type === TOKEN_TYPE.unused) return
    if (vocabulary.has(content)) throw fields.refuse('tokenizer.ggml.tokens', `names ${JSON.stringify(content)} twice`)
    vocabulary.set(content, id)
    if (type === TOKEN_TYPE.normal) return
    if (type !== TOKEN_TYPE.control && type !== TOKEN_TYPE.userDefined && type !== TOKEN_TYPE.unknown)
      throw fields.refuse('tokenizer.ggml.token_type', `expected 1 to 5, got ${type} for token ${id}`)
    const special = type !== TOKEN_TYPE.userDefined
    added.push({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special })
  })
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: cut.normalises ? { type: 'NFC' } : null,
    pre_tokenizer: cut.preTokenizer,
    post_processor: bos ? beginsWith(bos) : null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: cut.ignoresMerges,
      vocab: Object.fromEntries(vocabulary),
      merges: Array.from(fields.strings('tokenizer.ggml.merges'), (merge) => splitMerge(fields, merge)),
    },
  }
}

function splitMerge(fields: Fields, merge: string): [string, string] {
  const [left, right, more] = merge.split(' ')
  if (left && right && more === undefined) return [left, right]
  throw fields.refuse('tokenizer.ggml.merges', `expected two tokens with a space between, got ${JSON.stringify(merge)}`)
}

function beginsWith({ id, word }: { id: number; word: string }): Record<string, unknown> {
  const token = { SpecialToken: { id: word, type_id: 0 } }
  const text = (name: string, type: number) => ({ Sequence: { id: name, type_id: type } })
  return {
    type: 'TemplateProcessing',
    single: [token, text('A', 0)],
    pair: [token, text('A', 0), { SpecialToken: { id: word, type_id: 1 } }, text('B', 1)],
    special_tokens: { [word]: { id: word, ids: [id], tokens: [word] } },
  }
}

/** `tokenizer.chat_template`, and others of a name behind it, which tokenizer.chat_templates lists. */
function chatTemplate(fields: Fields): { chat_template?: string | { name: string; template: string }[] } {
  if (!fields.has('tokenizer.chat_template')) return {}
  const template = fields.text('tokenizer.chat_template')
  const others = [...fields.strings('tokenizer.chat_templates', [])].filter((name) => name !== 'default')
  if (others.length === 0) return { chat_template: template }
  const named = others.map((name) => ({ name, template: fields.text(`tokenizer.chat_template.${name}`) }))
  return { chat_template: [{ name: 'default', template }, ...named] }
}
