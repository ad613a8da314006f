// How text is cut before merging: GGUF names it (tokenizer.ggml.pre), tokenizer.json spells it out. The names are
// llama.cpp's; several of them cut alike, the first of a row is the one written. Names that are not here cut by
// patterns that hone does not run, and are refused.

const NO_REGEX = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
const GPT2_REGEX = { ...NO_REGEX, use_regex: true }
const SINGLE_DIGITS = { type: 'Digits', individual_digits: true }

/** cl100k's pattern (Llama 3, Qwen 2), which differ in how many digits stay together. */
function splitBy(digits: string): Record<string, unknown> {
  const pattern =
    String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|` +
    digits +
    String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false }
  return { type: 'Sequence', pretokenizers: [split, NO_REGEX] }
}

export type PreTokenizer = {
  names: readonly string[]
  preTokenizer: Record<string, unknown>
  /** Unicode is composed (NFC) first. */
  normalises: boolean
  /** A piece that is a token is taken whole, whatever the merges say. */
  ignoresMerges: boolean
  /** llama.cpp puts the beginning-of-sequence token first unless the file says otherwise. */
  addsBos: boolean
}

export const PRE_TOKENIZERS: readonly PreTokenizer[] = [
  {
    names: ['smollm', 'starcoder', 'refact', 'codeshell'],
    preTokenizer: { type: 'Sequence', pretokenizers: [SINGLE_DIGITS, GPT2_REGEX] },
    normalises: false,
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ['gpt-2', 'phi-2', 'mpt', 'olmo', 'jais'],
    preTokenizer: GPT2_REGEX,
    normalises: false,
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3'],
    preTokenizer: splitBy(String.raw`\p{N}{1,3}`),
    normalises: false,
    ignoresMerges: true,
    addsBos: true,
  },
  {
    names: ['dbrx', 'smaug-bpe'],
    preTokenizer: splitBy(String.raw`\p{N}{1,3}`),
    normalises: false,
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ['qwen2', 'deepseek-r1-qwen'],
    preTokenizer: splitBy(String.raw`\p{N}`),
    normalises: true,
    ignoresMerges: false,
    addsBos: false,
  },
  {
    names: ['stablelm2'],
    preTokenizer: splitBy(String.raw`\p{N}`),
    normalises: false,
    ignoresMerges: false,
    addsBos: false,
  },
]
