// Byte-level BPE trained on text (Sennrich et al., arXiv 1508.07909; bytes as in GPT-2): the pair of neighbouring tokens
// that is seen most often becomes a token, until the vocabulary is full. Deterministic: of pairs seen equally often the
// one with the lowest ids goes first. Seed tokens (numbers, say) get their merges before any count is taken.
import { ConfigError } from '#errors'
import { CHARACTER_OF_BYTE, spell } from './byte-alphabet.ts'
import { HONE_PATTERN } from './split-patterns.ts'

export type TrainBpe = {
  texts: Iterable<string>
  /** Specials, 256 bytes, seeds and merges together. */
  vocabSize: number
  /** They come first: ids 0, 1, ... in the order pad, bos, eos, more. */
  specials: { pad: string; bos?: string; eos: string; more?: readonly string[] }
  /** A pair seen less often is not merged, so the vocabulary may stay smaller. */
  minFrequency?: number
  /** Each becomes one token wherever the text is cut around it; each must be one piece of the split pattern. */
  seedTokens?: readonly string[]
}

/** Contents of a tokenizer's files, by name: tokenizer.json, tokenizer_config.json, special_tokens_map.json. */
export type TokenizerFiles = Record<'tokenizer.json' | 'tokenizer_config.json' | 'special_tokens_map.json', string>

/** Trains and answers the files, which `tokenizers` of Python and JavaScript load. A vocabulary too small, or a seed that the pattern cuts, is a ConfigError. */
export function trainBpe({ texts, vocabSize, specials, minFrequency = 2, seedTokens = [] }: TrainBpe): TokenizerFiles {
  const { pad, bos, eos, more = [] } = specials
  const specialWords = [pad, ...(bos === undefined ? [] : [bos]), eos, ...more]
  if (new Set(specialWords).size !== specialWords.length)
    throw new ConfigError(`expected different special tokens, got ${specialWords.join(' ')}`)
  const words = [...specialWords, ...CHARACTER_OF_BYTE]
  const learned: Learned = { words, idOf: new Map(words.map((word, id) => [word, id])), merges: [], rankOf: new Map() }
  for (const seed of seedTokens) mergeSeed(learned, seed)
  if (learned.words.length > vocabSize)
    throw new ConfigError(
      `expected a vocabulary of at least ${learned.words.length} for specials, bytes and seeds, got ${vocabSize}`,
    )
  mergeFrequent(learned, { pieces: countPieces(texts, specialWords), vocabSize, minFrequency })
  return tokenizerFiles(learned, specials, specialWords)
}

type Learned = {
  /** By id, spelled. */
  words: string[]
  idOf: Map<string, number>
  merges: [left: number, right: number][]
  /** Rank of a merge by pairKey. */
  rankOf: Map<number, number>
}
/** A piece of text between cuts, as token ids, and how often it was seen. */
type Piece = { ids: number[]; count: number }

/** Adds merges until the seed is one token. Later merges rank lower, so they cannot break it up again. */
function mergeSeed(learned: Learned, seed: string): void {
  if (seed.match(new RegExp(HONE_PATTERN, 'gu'))?.[0] !== seed)
    throw new ConfigError(
      `the seed token ${JSON.stringify(seed)} is cut by the split pattern, so it could never be one token`,
    )
  const ids = encodePiece(learned, seed)
  while (ids.length > 1) {
    const joined = addMerge(learned, ids.at(-2)!, ids.at(-1)!)
    ids.splice(-2, 2, joined)
  }
}

/** Ids of one piece by the merges so far, lowest rank first. */
function encodePiece({ idOf, words, merges, rankOf }: Learned, piece: string): number[] {
  const ids = Array.from(spell(piece), (character) => idOf.get(character)!)
  for (;;) {
    let best = Infinity
    for (let i = 0; i + 1 < ids.length; i++)
      best = Math.min(best, rankOf.get(pairKey(ids[i]!, ids[i + 1]!)) ?? Infinity)
    const merge = merges[best]
    if (!merge) return ids
    replacePair(ids, merge, idOf.get(words[merge[0]]! + words[merge[1]]!)!)
  }
}

function addMerge({ words, idOf, merges, rankOf }: Learned, left: number, right: number): number {
  const word = words[left]! + words[right]!
  rankOf.set(pairKey(left, right), merges.length)
  merges.push([left, right])
  const known = idOf.get(word)
  if (known !== undefined) return known
  idOf.set(word, words.length)
  words.push(word)
  return words.length - 1
}

function countPieces(texts: Iterable<string>, specialWords: string[]): Map<string, number> {
  const cut = new RegExp(HONE_PATTERN, 'gu')
  const counts = new Map<string, number>()
  for (const text of texts)
    for (const part of withoutSpecials(text, specialWords))
      for (const [piece] of part.matchAll(cut)) counts.set(piece, (counts.get(piece) ?? 0) + 1)
  return counts
}

function withoutSpecials(text: string, specialWords: string[]): string[] {
  return specialWords.reduce((parts, word) => parts.flatMap((part) => part.split(word)), [text])
}

function mergeFrequent(
  learned: Learned,
  {
    pieces: counted,
    vocabSize,
    minFrequency,
  }: { pieces: Map<string, number>; vocabSize: number; minFrequency: number },
): void {
  const pieces: Piece[] = Array.from(counted, ([piece, count]) => ({ ids: encodePiece(learned, piece), count }))
  const counts = new Map<number, number>()
  /** Pieces that held the pair at some time; looked at again when it is merged. */
  const holders = new Map<number, Set<number>>()
  const add = (index: number, sign: 1 | -1) => {
    const { ids, count } = pieces[index]!
    for (let i = 0; i + 1 < ids.length; i++) {
      const key = pairKey(ids[i]!, ids[i + 1]!)
      const seen = (counts.get(key) ?? 0) + sign * count
      if (seen > 0) counts.set(key, seen)
      else counts.delete(key)
      if (sign < 0) continue
      const held = holders.get(key)
      if (held) held.add(index)
      else holders.set(key, new Set([index]))
    }
  }
  pieces.forEach((_, index) => add(index, 1))
  while (learned.words.length < vocabSize) {
    const best = mostFrequent(counts)
    if (best === undefined || counts.get(best)! < minFrequency) return
    const pair: [number, number] = [Math.floor(best / KEY_BASE), best % KEY_BASE]
    const joined = addMerge(learned, ...pair)
    for (const index of holders.get(best) ?? []) {
      add(index, -1)
      replacePair(pieces[index]!.ids, pair, joined)
      add(index, 1)
    }
    counts.delete(best)
    holders.delete(best)
  }
}

/** A pair of ids as one number; ordered as the pair is. */
const KEY_BASE = 2 ** 24
function pairKey(left: number, right: number): number {
  return left * KEY_BASE + right
}

function mostFrequent(counts: Map<number, number>): number | undefined {
  let best: number | undefined
  let most = 0
  for (const [key, count] of counts)
    if (count > most || (count === most && best !== undefined && key < best)) {
      best = key
      most = count
    }
  return best
}

/** Replaces each occurrence, left to right, in place. */
function replacePair(ids: number[], [left, right]: [number, number], joined: number): void {
  let kept = 0
  for (let i = 0; i < ids.length; i++) {
    const isPair = ids[i] === left && ids[i + 1] === right
    ids[kept++] = isPair ? joined : ids[i]!
    if (isPair) i++
  }
  ids.length = kept
}

function tokenizerFiles(
  { words, merges }: Learned,
  { pad, bos, eos }: TrainBpe['specials'],
  specialWords: string[],
): TokenizerFiles {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false }
  const split = { type: 'Split', pattern: { Regex: HONE_PATTERN }, behavior: 'Isolated', invert: false }
  const roles = { ...(bos !== undefined && { bos_token: bos }), eos_token: eos, pad_token: pad }
  return {
    'tokenizer.json': json({
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: specialWords.map((content, id) => ({ id, content, ...flags })),
      normalizer: null,
      pre_tokenizer: { type: 'Sequence', pretokenizers: [split, byteLevel] },
      post_processor: null,
      decoder: { ...byteLevel, use_regex: true },
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: false,
        vocab: Object.fromEntries(words.map((word, id) => [word, id])),
        merges: merges.map(([left, right]) => [words[left], words[right]]),
      },
    }),
    'tokenizer_config.json': json({
      ...roles,
      tokenizer_class: 'PreTrainedTokenizerFast',
      clean_up_tokenization_spaces: false,
    }),
    'special_tokens_map.json': json(roles),
  }
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
