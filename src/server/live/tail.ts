// The whole lines of a file that grows, read once for any number of readers: each has its own place, the newest piece is
// kept in memory, older ones are read from the file. A file that was cut back (a run that went on from its checkpoint)
// says so to whoever was past the cut.
import fs from 'node:fs'

/** Kept in memory, and the longest line that is told. */
const PIECE_BYTES = 1 << 18
/** A reader gets whole lines of about so much at once: it is what each one that stands still costs. */
const TOLD_AT_ONCE = 1 << 14
const MOST_AT_ONCE = 1 << 22
const NEWLINE = 10

export class Tail {
  readonly #file: string
  #piece: Buffer = Buffer.alloc(0)
  /** Bytes of whole lines seen so far. */
  #end = 0

  constructor(file: string) {
    this.#file = file
    const size = this.#size()
    this.#end = lastNewline(file, size)
  }

  get end(): number {
    return this.#end
  }

  /** Looks for news; true: there are some, or the file was cut. */
  poll(): boolean {
    const size = this.#size()
    if (size < this.#end) {
      this.#end = lastNewline(this.#file, size)
      this.#piece = Buffer.alloc(0)
      return true
    }
    if (size === this.#end) return false
    const fresh = read(this.#file, this.#end, Math.min(size, this.#end + MOST_AT_ONCE))
    const whole = fresh.lastIndexOf(NEWLINE) + 1
    if (whole === 0) return false
    this.#end += whole
    const joined = Buffer.concat([this.#piece, fresh.subarray(0, whole)])
    this.#piece = joined.subarray(Math.max(0, joined.byteLength - PIECE_BYTES))
    return true
  }

  /** Lines after that place, some at a time, and the place after them. Undefined: the file has been cut back before it. */
  since(place: number): { lines: string[]; to: number } | undefined {
    if (place > this.#end) return undefined
    if (place === this.#end) return { lines: [], to: place }
    const start = this.#end - this.#piece.byteLength
    const bytes =
      place >= start
        ? this.#piece.subarray(place - start)
        : read(this.#file, place, Math.min(this.#end, place + PIECE_BYTES))
    const enough = bytes.indexOf(NEWLINE, TOLD_AT_ONCE)
    const whole = (enough >= 0 ? enough : bytes.lastIndexOf(NEWLINE)) + 1
    // A line longer than a piece is passed over.
    if (whole === 0) return { lines: [], to: Math.min(this.#end, place + PIECE_BYTES) }
    const lines = bytes.subarray(0, whole).toString('utf8').split('\n').slice(0, -1)
    return { lines, to: place + whole }
  }

  #size(): number {
    return fs.statSync(this.#file, { throwIfNoEntry: false })?.size ?? 0
  }
}

const TOLD_BYTES = 1 << 16

/** The last lines that end before that place. */
export function lastLines(file: string, end: number): string[] {
  if (end === 0 || !fs.existsSync(file)) return []
  const lines = read(file, Math.max(0, end - TOLD_BYTES), end)
    .toString('utf8')
    .split('\n')
    .slice(0, -1)
  return end > TOLD_BYTES ? lines.slice(1) : lines
}

function read(file: string, from: number, to: number): Buffer {
  const fd = fs.openSync(file, 'r')
  try {
    const bytes = Buffer.alloc(Math.max(0, to - from))
    return bytes.subarray(0, fs.readSync(fd, bytes, 0, bytes.byteLength, from))
  } finally {
    fs.closeSync(fd)
  }
}

/** Bytes up to and with the last newline before `size`. */
function lastNewline(file: string, size: number): number {
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - PIECE_BYTES)
    const found = read(file, start, end).lastIndexOf(NEWLINE)
    if (found >= 0) return start + found + 1
    end = start
  }
  return 0
}
