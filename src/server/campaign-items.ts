// Items of a new campaign out of a dataset's rows.
import { HttpError } from '#errors'
import { canonicalJson } from '#files'
import type { Comparison, Demonstration, Prompt } from '#schema'
import type { NewItem, Suggestion } from '#store'
import { z } from 'zod'
import { Expertise } from './api/endpoint.ts'

/** Two different completions each. */
export function pairItems(rows: Iterable<unknown>): NewItem[] {
  const items: NewItem[] = []
  const names = new Set<string>()
  for (const row of rows as Iterable<Partial<Comparison>>) {
    const { item, prompt, a, b, stratum, gold, goldReason } = row
    const expertise = expertiseOf(row)
    if (item === undefined || prompt === undefined || a === undefined || b === undefined)
      throw new HttpError(422, 'dataset: expected rows {item, prompt, a, b}; chosen and rejected are judged already')
    if (names.has(item)) throw new HttpError(422, `dataset: item ${item} is there twice`)
    if (a === b) throw new HttpError(422, `dataset: both completions of item ${item} are the same text`)
    names.add(item)
    const [priority, margin] = [numberOf(row, 'priority'), numberOf(row, 'margin')]
    items.push({
      item,
      prompt,
      a,
      b,
      stratum,
      gold,
      goldReason,
      expertise,
      priority,
      margin,
      suggestion: suggestionOf(row, margin),
    })
  }
  return items
}

/** Prompts to answer; the completion of a row, where it has one, is the drafted answer. Items are named by row: `row-1`. */
export function promptItems(rows: Iterable<unknown>): NewItem[] {
  let row = 0
  const items: NewItem[] = []
  for (const each of rows as Iterable<Partial<Demonstration>>) {
    const { prompt, completion } = each
    if (prompt === undefined) throw new HttpError(422, 'dataset: expected rows that have a prompt')
    items.push({
      item: `row-${++row}`,
      prompt,
      a: completion ?? '',
      b: '',
      expertise: expertiseOf(each),
      priority: numberOf(each, 'priority'),
    })
  }
  return items
}

/** Completions to be rated, one an item. */
export function ratedItems(rows: Iterable<unknown>): NewItem[] {
  return promptItems(rows).map((item) => {
    if (item.a === '') throw new HttpError(422, `dataset: ${item.item} has no completion to rate`)
    return item
  })
}

const [FEWEST_RANKED, MOST_RANKED] = [2, 9]

/**
 * Prompts with the completions to be put in order: rows {prompt, completions: [...]}, or rows {prompt, completion} of which
 * those of one prompt belong together.
 */
export function rankedItems(rows: Iterable<unknown>): NewItem[] {
  type Of = { prompt: Prompt; completions: string[]; expertise: string | undefined; priority: number | undefined }
  const byPrompt = new Map<string, Of>()
  for (const row of rows as Iterable<{ prompt?: Prompt; completion?: string; completions?: unknown }>) {
    const { prompt, completion, completions } = row
    if (prompt === undefined) throw new HttpError(422, 'dataset: expected rows that have a prompt')
    const given = completions ?? (completion === undefined ? undefined : [completion])
    if (!Array.isArray(given) || !given.every((each): each is string => typeof each === 'string'))
      throw new HttpError(422, 'dataset: expected rows {prompt, completions: [texts]} or {prompt, completion}')
    const key = canonicalJson(prompt)
    const known = byPrompt.get(key) ?? {
      prompt,
      completions: [],
      expertise: expertiseOf(row),
      priority: numberOf(row, 'priority'),
    }
    byPrompt.set(key, { ...known, completions: [...known.completions, ...given] })
  }
  return [...byPrompt.values()].map(({ prompt, completions, expertise, priority }, i): NewItem => {
    const item = `prompt-${i + 1}`
    const { length } = completions
    if (length < FEWEST_RANKED || length > MOST_RANKED)
      throw new HttpError(
        422,
        `dataset: expected ${FEWEST_RANKED} to ${MOST_RANKED} completions of each prompt, got ${length} of ${item}`,
      )
    if (new Set(completions).size < length) throw new HttpError(422, `dataset: a completion of ${item} is there twice`)
    return { item, prompt, a: '', b: '', completions, expertise, priority }
  })
}

/** What a row asks its readers to know; undefined: nothing. */
function expertiseOf(row: object): string | undefined {
  const { expertise } = row as { expertise?: unknown }
  if (expertise === undefined || expertise === null || expertise === '') return undefined
  const { success, data } = Expertise.safeParse(expertise)
  if (success) return data
  throw new HttpError(422, `dataset: expertise: expected a word such as tax-law, got ${JSON.stringify(expertise)}`)
}

/** A number that a row may bring; undefined: it brings none. */
function numberOf(row: object, field: 'priority' | 'margin'): number | undefined {
  const value = (row as Record<string, unknown>)[field]
  if (value === undefined || value === null || value === '') return undefined
  // Rows of CSV files bring text.
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof number === 'number' && Number.isFinite(number)) return number
  throw new HttpError(422, `dataset: ${field}: expected a number, got ${JSON.stringify(value)}`)
}

const MOST_SOURCE = 120
const Given = z.strictObject({
  better: z.enum(['a', 'b']),
  score: z.number().min(0).max(1),
  source: z.string().trim().min(1).max(MOST_SOURCE),
})

/** What a row says that a model says; of a margin with its `marginBy`, the side it leans to. */
function suggestionOf(row: object, margin: number | undefined): Suggestion | undefined {
  const { suggestion, marginBy } = row as { suggestion?: unknown; marginBy?: unknown }
  if (suggestion !== undefined && suggestion !== null) {
    const { success, data } = Given.safeParse(suggestion)
    if (success) return data
    const got = JSON.stringify(suggestion)
    throw new HttpError(
      422,
      `dataset: suggestion: expected {better: a or b, score: 0 to 1, source: a name}, got ${got}`,
    )
  }
  if (margin === undefined || margin === 0 || typeof marginBy !== 'string' || marginBy.trim() === '') return undefined
  const score = 1 / (1 + Math.exp(-Math.abs(margin)))
  return { better: margin > 0 ? 'a' : 'b', score, source: marginBy.trim().slice(0, MOST_SOURCE) }
}
