// The regular expressions by which byte-level tokenizers cut text before merging. Only known ones are run: a pattern is
// data from outside, and a hostile one can backtrack for ever.

/** Ours: words with the space before them, numbers in at most two digits with the space before them, so that each of 0 to 99 can be one token. */
export const HONE_PATTERN = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}{1,2}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

/** Also what ByteLevel cuts by when it has no pattern of its own (`use_regex`). */
export const GPT2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
const GPT2_SHORT = String.raw`'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`
/** Llama 3 (digits in threes) and its relatives with other runs of digits. */
const cl100k = (digits: string) =>
  String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|` +
  digits +
  String.raw`| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`

export const KNOWN_PATTERNS: ReadonlySet<string> = new Set([
  HONE_PATTERN,
  GPT2,
  GPT2_SHORT,
  cl100k(String.raw`\p{N}{1,3}`),
  cl100k(String.raw`\p{N}`),
  cl100k(String.raw`\p{N}+`),
])
