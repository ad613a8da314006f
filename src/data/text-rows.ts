// Whole texts, `{"text"}` a line: what a model is made of, or kept from forgetting. No kind of dataset: nothing is asked and
// nothing answered in them.
import fs from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'
import { DataError } from '#errors'

/** Texts of a JSONL file of {"text"} rows. */
export async function readTexts(file: string): Promise<string[]> {
  const texts: string[] = []
  let line = 0
  for await (const json of createInterface({ input: fs.createReadStream(file), crlfDelay: Infinity })) {
    line++
    if (json.trim() === '') continue
    const parsed = TextRow.safeParse(parseLine(json))
    if (!parsed.success) throw new DataError('expected a row {"text": "..."}', { file, line })
    texts.push(parsed.data.text)
  }
  return texts
}

const TextRow = z.object({ text: z.string().min(1) })

function parseLine(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
