// Expert ratings of completions out of a file: plain rows {prompt, completion, rating, rater}, or those that hone's rating
// campaigns keep, whose answers stand by question.
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import type { Prompt, Rating } from '#schema'

export type RatedRow = { prompt: Prompt; completion: string; rating: number; rater?: string; simulated: boolean }

/** Characters of a completion in an error. */
const MOST_SHOWN = 40

/** One rating a rater and completion. `criterion` names the question where rows answer several. */
export async function readRatings(file: string, criterion: string | undefined): Promise<RatedRow[]> {
  const rows = (await isOfCampaign(file)) ? await campaignRows(file, criterion) : await plainRows(file, criterion)
  const seen = new Set<string>()
  for (const { prompt, completion, rater } of rows) {
    const key = JSON.stringify([prompt, completion, rater])
    if (rater !== undefined && seen.has(key))
      throw new DataError(
        `rater ${rater} rated the completion ${JSON.stringify(completion.slice(0, MOST_SHOWN))} twice; keep one of the two`,
        { file },
      )
    seen.add(key)
  }
  return rows
}

async function isOfCampaign(file: string): Promise<boolean> {
  const { rows } = await readRows(file, { kind: 'ratings', wrong: 'set-aside' })
  return rows.length > 0
}

async function campaignRows(file: string, criterion: string | undefined): Promise<RatedRow[]> {
  const { rows } = await readRows(file, { kind: 'ratings' })
  const question = criterion ?? onlyScale(rows, file)
  const rated = rows.flatMap(({ prompt, completion, annotator, ratings, simulated }) => {
    const rating = ratings[question]
    if (typeof rating !== 'number') return []
    return [{ prompt, completion, rating, rater: annotator, simulated: simulated === true }]
  })
  if (rated.length === 0)
    throw new DataError(`expected answers to ${question} in steps of a scale, got none: ${questionsOf(rows)}`, { file })
  return rated
}

function onlyScale(rows: readonly Rating[], file: string): string {
  const scales = new Set(
    rows.flatMap(({ ratings }) => Object.entries(ratings).flatMap(([name, x]) => (typeof x === 'number' ? name : []))),
  )
  const [only] = scales
  if (only === undefined || scales.size > 1)
    throw new DataError(
      `expected one question answered by a scale, got ${scales.size}: name it by --criterion (${questionsOf(rows)})`,
      {
        file,
      },
    )
  return only
}

function questionsOf(rows: readonly Rating[]): string {
  return `questions are ${[...new Set(rows.flatMap(({ ratings }) => Object.keys(ratings)))].join(', ')}`
}

async function plainRows(file: string, criterion: string | undefined): Promise<RatedRow[]> {
  if (criterion !== undefined)
    throw new ConfigError(`--criterion would be ignored: rows of ${file} have one rating, and no questions`)
  const { rows, setAside } = await readRows(file, { kind: 'demonstrations', wrong: 'set-aside' })
  const [wrong] = setAside
  if (wrong)
    throw new DataError(
      `--ratings: expected rows {prompt, completion, rating, rater}, or those of a rating campaign: ${wrong.error.message}`,
      {},
      { cause: wrong.error },
    )
  return rows.map((row, i) => {
    const { rating, rater, simulated } = row as { rating?: unknown; rater?: unknown; simulated?: unknown }
    // Cells of CSV are text.
    const number = typeof rating === 'string' && rating.trim() !== '' ? Number(rating) : rating
    if (typeof number !== 'number' || !Number.isFinite(number))
      throw new DataError(
        `expected a row {prompt, completion, rating, rater} whose rating is a number, got ${rating === undefined ? 'none' : JSON.stringify(rating)} in row ${i + 1}`,
        { file, field: 'rating' },
      )
    if (rater !== undefined && typeof rater !== 'string' && typeof rater !== 'number')
      throw new DataError(`expected the name of a rater, got ${JSON.stringify(rater)} in row ${i + 1}`, {
        file,
        field: 'rater',
      })
    const { prompt, completion } = row
    return {
      prompt,
      completion,
      rating: number,
      ...(rater !== undefined && { rater: String(rater) }),
      simulated: simulated === true,
    }
  })
}
