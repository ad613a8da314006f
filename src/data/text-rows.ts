// Whole texts, rows of {"text"}: what a model is made of, or kept from forgetting. No kind of dataset: nothing is asked and
// nothing answered in them. Other fields of a row are left out.
import { describe, otherRow } from './normalise.ts'
import { holdRows, type Rule, streamBy, streamRows } from './read.ts'

/** Texts of a JSONL, JSON or CSV file, plain or gzip, or of a Parquet file. Throws one DataError that lists the first wrong rows and counts the rest. */
export async function readTexts(file: string): Promise<string[]> {
  return (await holdRows(file, { rule: textOf, wrong: 'refuse' })).rows
}

/** Whether a file is of texts and not of demonstrations, by its first row: of a wrong one, by whether it has a text. */
export async function holdsTexts(file: string): Promise<boolean> {
  for await (const outcome of streamRows(file, 'demonstrations')) {
    if ('row' in outcome) return false
    break
  }
  for await (const outcome of streamBy(file, textOf)) return 'row' in outcome || outcome.error.place.field === 'text'
  return false
}

const textOf: Rule<string> = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !('text' in value))
    return { problems: [otherRow(value, '{text}')] }
  const { text } = value
  if (typeof text === 'string' && text.trim() !== '') return { row: text, shape: 'texts' }
  const got = typeof text === 'string' ? 'a blank one' : describe(text)
  return { problems: [{ path: ['text'], message: `expected text, got ${got}` }] }
}
