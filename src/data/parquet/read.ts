// Rows of a Parquet file as lines of JSON, which then go the way of all rows. The file is read from its end, so it is on disk and
// not in a pipe; row by row, so that of each column a page is in memory whatever the size of row groups.
// github.com/apache/parquet-format
import fs from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { DataError } from '#errors'
import { Frame } from '../frames.ts'
import { MOST_BYTES, MOST_FOOTER_BYTES, MOST_PARQUET_RATIO, PARQUET_RATIO_FROM_BYTES } from '../limits.ts'
import { damaged } from './cursor.ts'
import { type Footer, readFooter } from './footer.ts'
import { readBytes, type Room, Values } from './pages.ts'
import { takeRow } from './records.ts'

const PIECE_BYTES = 1 << 18
const PIECE_ROWS = 4096
const TAIL_BYTES = 8

/** As many rows at a time as a piece of text has. Throws DataError with the row from which on the file cannot be read. */
export async function* readParquet(file: string): AsyncGenerator<Frame[]> {
  const fd = fs.openSync(file, 'r')
  let row = 0
  try {
    const size = fs.fstatSync(fd).size
    const footer = footerOf(fd, size)
    const room: Room = { held: 0, read: 0 }
    let frames: Frame[] = []
    let piece = 0
    let bytes = 0
    for (const group of rowsOf(fd, footer, room)) {
      row++
      const { fields, flaw } = group()
      const text = Buffer.from(flaw ? '' : JSON.stringify(fields))
      frames.push(new Frame(text, { file, line: row, column: 1, isRow: true, ...(flaw ? { flaw } : {}) }))
      piece += text.length
      bytes += text.length
      bound(bytes, size)
      if (piece < PIECE_BYTES && frames.length < PIECE_ROWS) continue
      yield frames
      frames = []
      piece = 0
      // Pages are read and decompressed at once: in between others have their turn.
      await setImmediate()
    }
    yield frames
  } catch (error) {
    if (!(error instanceof DataError) || error.place.file !== undefined) throw error
    const { field } = error.place
    const message = field === undefined ? error.message : error.message.slice(field.length + 2)
    throw new DataError(
      message,
      { file, ...(row ? { row } : {}), ...(field === undefined ? {} : { field }) },
      { cause: error },
    )
  } finally {
    fs.closeSync(fd)
  }
}

/** Each as something yet to be taken, so that what is wrong with it is known to be its. */
function* rowsOf(fd: number, { columns, leaves, groups }: Footer, room: Room) {
  for (const { rows, chunks } of groups) {
    const values = leaves.map((column, i) => new Values(fd, { column, chunk: chunks[i]!, room }))
    for (let i = 0; i < rows; i++) yield () => takeRow(columns, values)
    for (const leaf of values) {
      if (leaf.peek() >= 0) damaged('more values than rows')
      leaf.close()
    }
  }
}

function footerOf(fd: number, size: number): Footer {
  const tail = size < TAIL_BYTES + 4 ? undefined : readBytes(fd, size - TAIL_BYTES, TAIL_BYTES)
  if (tail?.toString('latin1', 4) !== 'PAR1')
    throw new DataError('expected whole Parquet, which ends in PAR1, got a truncated file: copy it again')
  const length = tail.readUInt32LE()
  if (length > size - TAIL_BYTES - 4) damaged('a footer longer than the file')
  if (length > MOST_FOOTER_BYTES)
    throw new DataError(
      `expected a footer of at most ${MOST_FOOTER_BYTES / 2 ** 20} MiB, got ${length} bytes: write larger row groups`,
    )
  return readFooter(readBytes(fd, size - TAIL_BYTES - length, length), size)
}

/** A dictionary has a text once, and runs say it a million times. */
function bound(bytes: number, size: number): void {
  if (bytes > MOST_BYTES)
    throw new DataError(`expected at most ${MOST_BYTES / 2 ** 30} GiB of text, got more: split the file`)
  if (bytes > PARQUET_RATIO_FROM_BYTES && bytes > MOST_PARQUET_RATIO * size)
    throw new DataError(
      `expected rows of at most ${MOST_PARQUET_RATIO} times the file's size, got more: write them as JSONL if you trust it`,
    )
}
