// hone evaluate --metric format: shares of drawn completions that have the form asked for, refuse, or go in circles. What a
// gate names after fine-tuning, before anybody is asked to compare.
import { atLevels, ENGLISH_REFUSAL, type Format, formatOf, type FormatRule, formatStatistics } from '#evaluate'
import { readRows } from '#data'
import { ConfigError } from '#errors'
import type { Drawing } from '#sampler'
import { boundedMean, deriveSeed } from '#stats'
import { tokenizePrompt, type Tokenizer } from '#text'
import { readRules, type Rule } from '#trainer'
import type { OpenModel } from './completions.ts'
import { type Asked, drawAll, type GradedLine, type Measured } from './evaluate-text.ts'

type AskedFormat = Asked & { drawing: Drawing; rules: Rule[]; refusal: RegExp }

/** `lines` are for people to read, each with what it fails. */
export async function measureFormat(
  opened: OpenModel,
  { file, levels, seed, signal, out, drawing, rules, refusal }: AskedFormat,
): Promise<Measured & { lines: (GradedLine & { fails: string[] })[] }> {
  const { rows } = await readRows(file, { kind: 'prompts' })
  const { tokenizer } = opened
  const prompts = rows.map(({ prompt }) => prompt)
  const texts: string[] = []
  for (const prompt of prompts)
    texts.push(tokenizer.decode(await tokenizePrompt(tokenizer, prompt), { skipSpecial: true }))
  const drawn = await drawAll(opened, prompts, { drawing, signal, out, showSpecial: true })
  const held: FormatRule[] = rules.map(({ name, isHeld }) => ({ name, isHeld }))
  const options = { ...specialsOf(tokenizer), rules: held, refusal }
  const groups = drawn.map(({ row }) => rows[row]!.group ?? `row ${row + 1}`)
  const formats = drawn.map(({ row, completion, finished }) =>
    formatOf({ text: completion, finished, prompt: texts[row]! }, options),
  )
  const tokens = drawn.map((completion) => completion.tokens)
  return {
    rows: rows.length,
    statistics: atLevels(levels, (level) => ({
      ...formatStatistics(formats, { groups, rules: held, seed, level }),
      tokens: boundedMean(tokens, {
        seed: deriveSeed(seed, 'tokens'),
        level,
        clusters: groups,
        bounds: [0, drawing.maxTokens],
      }),
    })),
    lines: drawn.map(({ row, ...completion }, i) => ({
      ...(rows[row]!.id !== undefined && { id: rows[row]!.id }),
      prompt: prompts[row]!,
      ...completion,
      fails: failures(formats[i]!, held),
    })),
  }
}

/** Of another language, or of a model that refuses in its own words. */
export function readRefusal(pattern: string | undefined): RegExp {
  if (pattern === undefined) return ENGLISH_REFUSAL
  try {
    return new RegExp(pattern, 'iu')
  } catch (cause) {
    throw new ConfigError(`--refusal: expected a regular expression, got ${pattern}`, { cause })
  }
}

export async function readFormatRules(file: string | undefined): Promise<Rule[]> {
  return file === undefined ? [] : readRules(file)
}

function specialsOf(tokenizer: Tokenizer): { specials: string[]; ends: string[] } {
  const spelled = (ids: Iterable<number>) => [...ids].map((id) => tokenizer.decode([id])).filter((text) => text !== '')
  // The longest first: one may begin like another.
  return {
    specials: spelled(tokenizer.specialIds).sort((a, b) => b.length - a.length),
    ends: spelled(tokenizer.eosIds),
  }
}

function failures({ nonEmpty, finished, leaked, refusal, repetitive, rules }: Format, held: FormatRule[]): string[] {
  return [
    ...(nonEmpty ? [] : ['empty']),
    ...(finished ? [] : ['cut off']),
    ...(leaked ? ['leaked'] : []),
    ...(refusal ? ['refusal'] : []),
    ...(repetitive ? ['repetitive'] : []),
    ...held.flatMap(({ name }, i) => (rules[i] ? [] : [name])),
  ]
}
