// The form of completions, before anybody compares them: said something, ended by itself, no token of the template in it, held
// to the rules; and how many refuse or go in circles. Judged by program: refusals by the words that English ones begin
// with, circles by seq-rep-4 (arXiv 1908.04319). Left out: style, which is for people or for a rule that knows it.
import { deriveSeed, type Interval } from '#stats'
import { meanScore } from './graders.ts'

/** A completion with its special tokens spelled out. */
export type FormatRow = { text: string; finished: boolean; prompt: string }
export type FormatRule = {
  name: string
  isHeld: (row: { prompt: string; completion: string; finished: boolean }) => boolean
}
export type FormatOptions = {
  /** Spelt-out special tokens; `ends` are those of them that may close a completion. */
  specials: readonly string[]
  ends: readonly string[]
  rules: readonly FormatRule[]
  /** Looked for in the beginning. */
  refusal: RegExp
}

/** What a completion is, each a share when averaged; `text` is without special tokens. */
export type Format = {
  text: string
  valid: boolean
  nonEmpty: boolean
  finished: boolean
  leaked: boolean
  refusal: boolean
  repetitive: boolean
  seqRep4: number
  rules: boolean[]
}

export const ENGLISH_REFUSAL =
  /\b(?:i(?:'|\u2019)?m (?:sorry|afraid|unable|not able)|i am (?:sorry, (?:but|i)|unable|not able)|i (?:cannot|can(?:'|\u2019)t|can not|won(?:'|\u2019)t|will not) (?:help|assist|provide|answer|comply|do that|fulfil)|as an ai\b)/i
/** A refusal further in is part of an answer. */
const BEGINNING = 160
/** Share of 4-grams of words that came before in the same completion: half of it says nothing new. */
const REPETITIVE = 0.5
/** Of shorter completions a repeated 4-gram says little. */
const FEWEST_WORDS = 12
const LONGEST = 100_000

export function formatOf(row: FormatRow, { specials, ends, rules, refusal }: FormatOptions): Format {
  const end = ends.find((special) => row.text.endsWith(special))
  const body = end === undefined ? row.text : row.text.slice(0, -end.length)
  const leaked = specials.some((special) => body.includes(special))
  const text = specials.reduce((left, special) => left.replaceAll(special, ''), body)
  const { prompt, finished } = row
  const held = rules.map(({ isHeld }) => isHeld({ prompt, completion: text, finished }))
  const nonEmpty = text.trim() !== ''
  const seqRep4 = repetitionOf(text.slice(0, LONGEST))
  return {
    text,
    valid: nonEmpty && finished && !leaked && held.every(Boolean),
    nonEmpty,
    finished,
    leaked,
    refusal: refusal.test(text.slice(0, BEGINNING)),
    repetitive: seqRep4 > REPETITIVE,
    seqRep4,
    rules: held,
  }
}

/** 1 - different 4-grams of words over all of them; 0 where there are few words. */
function repetitionOf(text: string): number {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+|[^\s\p{L}\p{N}]/gu) ?? []
  if (words.length < FEWEST_WORDS) return 0
  const grams = words.slice(0, -3).map((_, i) => words.slice(i, i + 4).join(' '))
  return 1 - new Set(grams).size / grams.length
}

export type FormatStatistics = Record<
  'valid' | 'non-empty' | 'finished' | 'leaked' | 'refusals' | 'repetitive' | 'seq-rep-4',
  Interval
> & { rules?: Record<string, Interval> }

/** Shares with their intervals, over groups where prompts have several completions. */
export function formatStatistics(
  formats: readonly Format[],
  {
    groups,
    rules,
    seed,
    level,
  }: { groups: readonly string[]; rules: readonly FormatRule[]; seed: number; level: number },
): FormatStatistics {
  const share = (name: string, of: (format: Format) => number | boolean): Interval =>
    meanScore(
      formats.map((format) => Number(of(format))),
      { seed: deriveSeed(seed, name), level, clusters: groups },
    )
  return {
    valid: share('valid', ({ valid }) => valid),
    'non-empty': share('non-empty', ({ nonEmpty }) => nonEmpty),
    finished: share('finished', ({ finished }) => finished),
    leaked: share('leaked', ({ leaked }) => leaked),
    refusals: share('refusals', ({ refusal }) => refusal),
    repetitive: share('repetitive', ({ repetitive }) => repetitive),
    'seq-rep-4': share('seq-rep-4', ({ seqRep4 }) => seqRep4),
    ...(rules.length > 0 && {
      rules: Object.fromEntries(
        rules.map(({ name }, i) => [name, share(`rule ${name}`, (format) => format.rules[i]!)]),
      ),
    }),
  }
}
