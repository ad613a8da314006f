// Reads rows from a file: streamed with bounded memory, or held as a list. A row is right or has a DataError with its
// place; what becomes of wrong rows is the caller's choice, and by default one wrong row refuses the file.
import { DataError, type Place } from '#errors'
import { openData } from './bytes.ts'
import { parseHeader, type RawRow, readRecord } from './csv.ts'
import { type Frame, type Framer, framer } from './frames.ts'
import { describePath, type Json, parseJson, placeOf } from './json.ts'
import { MOST_BYTES_HELD, MOST_PROBLEMS, MOST_PROBLEMS_SHOWN, MOST_ROWS, MOST_ROWS_HELD } from './limits.ts'
import { type Kind, normalise, type Problem, type RowOf } from './normalise.ts'
import { readParquet } from './parquet/read.ts'
import { PlainRows } from './plain-rows.ts'

/** One row of a file: read, or wrong with the reason. `text` is the row as it lay in the file; of Parquet, `line` is the row and `text` its JSON. */
export type Outcome<K extends Kind> = OutcomeOf<RowOf[K]>
export type OutcomeOf<Row> = { line: number; place: Place; text: string } & ({ row: Row } | { error: DataError })
export type WrongRow = { line: number; text: string; error: DataError }
export type ReadResult<K extends Kind> = { rows: RowOf[K][]; setAside: WrongRow[] }
/** `refuse`: one wrong row and nothing is read. `set-aside`: wrong rows are returned with their reasons. */
export type ReadOptions<K extends Kind> = { kind: K; wrong?: Wrong }
type Wrong = 'refuse' | 'set-aside'
/** What makes a row of a value, or says what is wrong with it. */
export type Rule<Row> = (value: Json) => { row: Row; shape: string } | { problems: Problem[] }

/** All rows of a JSONL, JSON or CSV file, plain or gzip, or of a Parquet file. Throws one DataError that lists the first wrong rows and counts the rest. */
export async function readRows<K extends Kind>(
  file: string,
  { kind, wrong = 'refuse' }: ReadOptions<K>,
): Promise<ReadResult<K>> {
  return holdRows(file, { rule: ruleOf(kind), wrong })
}

function ruleOf<K extends Kind>(kind: K): Rule<RowOf[K]> {
  return (value) => normalise(value, kind)
}

/** `readRows` of rows that are of no kind. */
export async function holdRows<Row>(
  file: string,
  o: { rule: Rule<Row>; wrong: Wrong },
): Promise<{ rows: Row[]; setAside: WrongRow[] }> {
  const rows: Row[] = []
  const setAside: WrongRow[] = []
  let bytes = 0
  await eachRow(file, o, (outcome) => {
    bytes += outcome.text.length
    if ('error' in outcome) setAside.push(outcome)
    else rows.push(outcome.row)
    if (rows.length + setAside.length > MOST_ROWS_HELD || bytes > MOST_BYTES_HELD)
      throw new DataError(
        `expected at most ${MOST_ROWS_HELD} rows and ${MOST_BYTES_HELD / 2 ** 20} MiB to hold at once, got more: split the file`,
        outcome.place,
      )
  })
  return { rows, setAside }
}

/** Streams rows under the rule for wrong ones. With `refuse`, throws after the last row that it looked at, so act on nothing before the end. A plain row comes as bytes where `takePlain` is given. */
export async function eachGoodRow<K extends Kind>(
  file: string,
  { kind, wrong = 'refuse' }: ReadOptions<K>,
  take: (outcome: Outcome<K>) => void,
  takePlain?: (row: PlainRows) => void,
): Promise<void> {
  const plain = new PlainRows(kind)
  const takesPlain = (frame: Frame, shapes: ShapeRule): boolean => {
    if (!takePlain || !plain.read(frame.bytes) || !shapes.fits(plain.shape, frame.line)) return false
    takePlain(plain)
    return true
  }
  await eachRow(file, { rule: ruleOf(kind), wrong, takesPlain }, take)
}

/** `takesPlain`: whether a row of JSON needed no reading, and is taken. */
type Each<Row> = { rule: Rule<Row>; wrong: Wrong; takesPlain?: (frame: Frame, shapes: ShapeRule) => boolean }

async function eachRow<Row>(
  file: string,
  { rule, wrong, takesPlain }: Each<Row>,
  take: (outcome: OutcomeOf<Row>) => void,
): Promise<void> {
  const errors: DataError[] = []
  let count = 0
  for await (const { frames, read, shapes } of readFrames(file, rule)) {
    for (const frame of frames) {
      count++
      if (shapes && takesPlain?.(frame, shapes)) continue
      const outcome = read(frame)
      if (!('error' in outcome) || wrong === 'set-aside') take(outcome)
      else if (errors.push(outcome.error) >= MOST_PROBLEMS) throw gather(errors)
    }
  }
  if (errors.length) throw gather(errors)
  if (count === 0) throw new DataError('expected at least one row, got none', { file })
}

/** Every row in file order, right or wrong. Throws only when the file itself cannot be read on. */
export async function* streamRows<K extends Kind>(file: string, kind: K): AsyncGenerator<Outcome<K>> {
  yield* streamBy(file, ruleOf(kind))
}

/** `streamRows` of rows that are of no kind. */
export async function* streamBy<Row>(file: string, rule: Rule<Row>): AsyncGenerator<OutcomeOf<Row>> {
  for await (const { frames, read } of readFrames(file, rule)) for (const frame of frames) yield read(frame)
}

/** `shapes`: of a format whose rows are JSON. */
type Frames<Row> = { frames: Frame[]; read: (frame: Frame) => OutcomeOf<Row>; shapes: ShapeRule | undefined }

/** Rows that are cut but not read, as many at a time as a piece of the file has. */
async function* readFrames<Row>(file: string, rule: Rule<Row>): AsyncGenerator<Frames<Row>> {
  const opened = await openData(file)
  const { format } = opened
  const pieces = opened.format === 'parquet' ? readParquet(file) : cut(file, framer(opened.format, file), opened.chunks)
  const shapes = new ShapeRule()
  const isJson = format !== 'csv'
  let reader: Reader | undefined = isJson ? readJson : undefined
  let count = 0
  for await (const frames of pieces) {
    if (!reader && frames.length) reader = recordReader(frames.shift()!, file)
    const left = MOST_ROWS - count
    count += frames.length
    const read = (frame: Frame) => readFrame(frame, { rule, read: reader!, shapes })
    yield { frames: frames.slice(0, left), read, shapes: isJson ? shapes : undefined }
    if (count > MOST_ROWS)
      throw new DataError(`expected at most ${MOST_ROWS} rows, got more: split the file`, {
        ...frames[left]!.place,
      })
  }
}

async function* cut(file: string, cutter: Framer, chunks: AsyncIterable<Buffer>): AsyncGenerator<Frame[]> {
  try {
    for await (const chunk of chunks) yield cutter.push(chunk)
  } catch (error) {
    if (error instanceof DataError && error.place.line === undefined)
      throw new DataError(error.message.slice(file.length + 2), { file, line: cutter.line }, { cause: error })
    throw error
  }
  yield cutter.end()
}

type Reader = (frame: Frame) => RawRow

function readJson(frame: Frame): RawRow {
  const start = { ...frame.place, line: frame.line, column: frame.column }
  return { value: parseJson(frame.text, start), placeOf: (path) => placeOf(frame.text, path, start) }
}

/** Without a sound header no record can be read, so that throws at once. */
function recordReader(first: Frame, file: string): Reader {
  if (first.flaw) throw first.flaw
  const header = parseHeader(first, file)
  return (frame) => readRecord(frame, header, file)
}

type FrameContext<Row> = { rule: Rule<Row>; read: Reader; shapes: ShapeRule }

function readFrame<Row>(frame: Frame, { rule, read, shapes }: FrameContext<Row>): OutcomeOf<Row> {
  const { line, place, text } = frame
  try {
    if (frame.flaw) throw frame.flaw
    const raw = read(frame)
    const result = rule(raw.value)
    if ('row' in result) {
      shapes.hold(result.shape, frame)
      return { line, place, text, row: result.row }
    }
    const { path, message } = result.problems[0]!
    const more = result.problems.slice(1).map((p) => `${describePath(p.path)}: ${p.message}`)
    const field = describePath(path)
    throw new DataError([message, ...more].join('; '), { ...raw.placeOf(path), ...(field ? { field } : {}) })
  } catch (error) {
    if (error instanceof DataError) return { line, place, text, error }
    throw error
  }
}

/** Rows of one file have one shape: text prompts and turns, or two kinds of comparison, are not mixed. */
class ShapeRule {
  private first: { shape: string; line: number } | undefined

  /** Whether a row of that shape may follow those before. */
  fits(shape: string, line: number): boolean {
    this.first ??= { shape, line }
    return shape === this.first.shape
  }

  hold(shape: string, { line, place }: Frame): void {
    if (!this.fits(shape, line))
      throw new DataError(
        `expected ${this.first!.shape} as in ${place.row === undefined ? 'line' : 'row'} ${this.first!.line}, got ${shape}: put each shape in a file of its own`,
        place,
      )
  }
}

function gather(errors: DataError[]): DataError {
  const [first, ...rest] = errors as [DataError, ...DataError[]]
  if (!rest.length) return first
  const shown = rest.slice(0, MOST_PROBLEMS_SHOWN - 1).map((error) => `  ${error.message}`)
  const left = rest.length - shown.length
  const tail = left ? [`  and ${left}${errors.length >= MOST_PROBLEMS ? ' or more' : ''} others`] : []
  // Each message has its place already; a place given here would be written before the first one again.
  const all = new DataError([first.message, ...shown, ...tail].join('\n'))
  return Object.assign(all, { place: first.place })
}
