// Items of a new campaign out of a dataset's rows.
import { HttpError } from '#errors'
import { canonicalJson } from '#files'
import type { Comparison, Demonstration, Prompt } from '#schema'
import type { NewItem } from '#store'
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
    items.push({ item, prompt, a, b, stratum, gold, goldReason, expertise })
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
    items.push({ item: `row-${++row}`, prompt, a: completion ?? '', b: '', expertise: expertiseOf(each) })
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
  const byPrompt = new Map<string, { prompt: Prompt; completions: string[]; expertise: string | undefined }>()
  for (const row of rows as Iterable<{ prompt?: Prompt; completion?: string; completions?: unknown }>) {
    const { prompt, completion, completions } = row
    if (prompt === undefined) throw new HttpError(422, 'dataset: expected rows that have a prompt')
    const given = completions ?? (completion === undefined ? undefined : [completion])
    if (!Array.isArray(given) || !given.every((each): each is string => typeof each === 'string'))
      throw new HttpError(422, 'dataset: expected rows {prompt, completions: [texts]} or {prompt, completion}')
    const key = canonicalJson(prompt)
    const known = byPrompt.get(key) ?? { prompt, completions: [], expertise: expertiseOf(row) }
    byPrompt.set(key, { ...known, completions: [...known.completions, ...given] })
  }
  return [...byPrompt.values()].map(({ prompt, completions, expertise }, i): NewItem => {
    const item = `prompt-${i + 1}`
    const { length } = completions
    if (length < FEWEST_RANKED || length > MOST_RANKED)
      throw new HttpError(
        422,
        `dataset: expected ${FEWEST_RANKED} to ${MOST_RANKED} completions of each prompt, got ${length} of ${item}`,
      )
    if (new Set(completions).size < length) throw new HttpError(422, `dataset: a completion of ${item} is there twice`)
    return { item, prompt, a: '', b: '', completions, expertise }
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
