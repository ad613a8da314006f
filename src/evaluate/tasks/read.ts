// A task file as a task: one JSON object with `rows`, a JSONL file whose first line describes it, or bare rows that have a
// question and choices, which say enough by themselves. What is wrong with it is one DataError with file, line and field.
import fs from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { describePath, type Json, parseJson, placeOf } from '#data'
import { DataError } from '#errors'
import { Description, Sampling, type Scorer } from './description.ts'
import { scoreOf, type TaskRow, taskRow } from './rows.ts'

/** All that decides what is asked and what is right; its hash names it. */
export type Task = Omit<Description, 'description' | 'examples' | 'rows' | 'sampling' | 'prompt'> & {
  sampling?: Sampling
  rows: TaskRow[]
  /** What examples are drawn from; without it, the other rows. */
  examples?: TaskRow[]
}

/** One JSON value of a file, and how its parts are found again. */
type Piece = { value: Json; file: string; text: string; line: number }
/** Rows of a task, and where each begins. */
type Row = { piece: Piece; path: (string | number)[] }

/** Of the whole file: tasks are held in memory. */
const MOST_BYTES = 2 ** 28

/** @throws DataError with file, line and field */
export function readTask(file: string): Task {
  const pieces = readPieces(file)
  const [first, ...others] = pieces
  const bare = rowsOf(pieces)
  if (bare[0] && isBareRow(valueOf(bare[0]))) return taskOf(bareDescription(file), bare, file)
  const parsed = Description.safeParse(first!.value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    if (!isRecord(first!.value) || !Object.hasOwn(first!.value, 'scorer'))
      throw wrong(
        first!,
        [],
        `expected a task {name, scorer, rows}, or rows {question, choices, answer}, got ${kindOf(first!.value)}`,
      )
    throw wrong(first!, path, message)
  }
  const { rows, scorer } = parsed.data
  checkScorer(first!, scorer)
  if (rows !== undefined && others.length > 0)
    throw wrong(first!, ['rows'], 'expected rows here or in the lines below, got both')
  if (rows === undefined && others.length === 0) throw wrong(first!, [], 'expected rows, got none')
  return taskOf(parsed.data, rows === undefined ? others.map(wholeRow) : rowsAt(first!, 'rows', rows), file, first)
}

function kindOf(value: Json): string {
  if (!isRecord(value)) return Array.isArray(value) ? 'a list' : JSON.stringify(value).slice(0, 40)
  return `the fields ${Object.keys(value).slice(0, 8).join(', ') || 'of none'}`
}

function isRecord(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function taskOf(description: Description, rows: Row[], file: string, piece?: Piece): Task {
  const { description: _, rows: __, examples, prompt: ___, sampling, ...rest } = description
  const read = rows.map((row, i) => rowOf(row, description, i + 1))
  const ids = new Set<string>()
  for (const [i, { id }] of read.entries()) {
    if (ids.has(id)) throw wrong(rows[i]!.piece, [...rows[i]!.path, 'id'], `expected each id once, got ${id} again`)
    ids.add(id)
  }
  const pool =
    examples === undefined
      ? undefined
      : rowsAt(piece!, 'examples', examples).map((row, i) => rowOf(row, description, i + 1))
  checkShots(description, { pool, read, file })
  const draws = description.scorer.kind !== 'choice'
  return {
    ...rest,
    ...(draws && { sampling: sampling ?? Sampling.parse({}) }),
    rows: read,
    ...(pool && { examples: pool }),
  }
}

function checkShots(
  { shots, scorer }: Description,
  { pool, read, file }: { pool: TaskRow[] | undefined; read: TaskRow[]; file: string },
): void {
  if (shots === 0) return
  const fail = (message: string): never => {
    throw new DataError(message, { file, field: 'shots' })
  }
  if (scorer.kind === 'regex' && scorer.pattern === undefined)
    fail('an example would show a pattern for an answer: give the pattern in the scorer, or no shots')
  const from = pool ?? read
  const without = from.find(({ answers }) => answers.length === 0)
  if (without) fail(`expected an answer in every row that may be an example, got none in row ${without.id}`)
  const sizes = new Map<string, number>()
  if (!pool) for (const { group } of read) sizes.set(group, (sizes.get(group) ?? 0) + 1)
  const least = from.length - Math.max(0, ...sizes.values())
  if (least < shots)
    fail(
      `expected at least ${shots} rows to draw examples from${pool ? '' : ', beside a row and its group'}, got ${least}`,
    )
}

function rowOf(row: Row, description: Description, place: number): TaskRow {
  const { piece, path } = row
  const value = valueOf(row)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(piece, path, `expected a row, got ${JSON.stringify(value)}`)
  const read = taskRow(value, description, place)
  if ('problem' in read) throw wrong(piece, [...path, ...read.path], read.problem)
  return read
}

/** Rows that lie in the description, or in the file that it names. */
function rowsAt(piece: Piece, field: string, rows: unknown[] | string): Row[] {
  if (typeof rows !== 'string') return rows.map((_, i) => ({ piece, path: [field, i] }))
  const file = resolve(dirname(piece.file), rows)
  if (!fs.existsSync(file)) throw wrong(piece, [field], `expected a file of rows, found none at ${file}`)
  return rowsOf(readPieces(file))
}

/** A line each, or the elements of a list. */
function rowsOf(pieces: Piece[]): Row[] {
  return pieces.flatMap((each) =>
    Array.isArray(each.value) ? each.value.map((_, i) => ({ piece: each, path: [i] })) : [wholeRow(each)],
  )
}

function valueOf({ piece, path }: Row): Json {
  return path.reduce<Json>((inner, key) => (inner as Record<string | number, Json>)[key]!, piece.value)
}

/** A pattern or schema that cannot be read must not come to light after everything was drawn. */
function checkScorer(piece: Piece, scorer: Scorer): void {
  if (scorer.kind === 'choice' || (scorer.kind === 'regex' && scorer.pattern === undefined)) return
  try {
    scoreOf(scorer, ['0'])
  } catch (error) {
    throw wrong(piece, ['scorer'], (error as Error).message)
  }
}

function wholeRow(piece: Piece): Row {
  return { piece, path: [] }
}

function isBareRow(value: Json | undefined): boolean {
  return isRecord(value) && Object.hasOwn(value, 'choices') && !Object.hasOwn(value, 'scorer')
}

/** Bare rows are named by their file. */
function bareDescription(file: string): Description {
  const name = basename(file)
    .replace(/\.[^.]*$/, '')
    .replace(/[^\w-]+/g, '-')
  return Description.parse({ name, scorer: 'choice' })
}

/** The values of a file: one a line where its name says so, else one. */
function readPieces(file: string): Piece[] {
  const text = readText(file)
  if (!/\.(jsonl|ndjson)$/.test(file)) return [{ value: parseJson(text, start(file, 1)), file, text, line: 1 }]
  const pieces = text.split('\n').flatMap((json, i): Piece[] => {
    if (json.trim() === '') return []
    return [{ value: parseJson(json, start(file, i + 1)), file, text: json, line: i + 1 }]
  })
  if (pieces.length === 0) throw new DataError('expected rows, got none', { file })
  return pieces
}

function readText(file: string): string {
  let bytes: Buffer
  try {
    const { size } = fs.statSync(file)
    if (size > MOST_BYTES)
      throw new DataError(`expected at most ${MOST_BYTES / 2 ** 20} MiB, got ${Math.round(size / 2 ** 20)}: split it`, {
        file,
      })
    bytes = fs.readFileSync(file)
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    throw new DataError('expected a file that can be read: check the path', { file }, { cause })
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new DataError('expected UTF-8 text', { file }, { cause })
  }
}

function wrong({ text, file, line }: Piece, path: readonly PropertyKey[], message: string): DataError {
  const field = describePath(path)
  return new DataError(message, { ...placeOf(text, path, start(file, line)), ...(field && { field }) })
}

function start(file: string, line: number) {
  return { file, line, column: 1 }
}
