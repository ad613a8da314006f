// Rows on their way to becoming a version: canonical lines to a file, hashed as they go, with no more than a piece of them in
// memory.
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { canonicalJson, sha256Into } from '#files'
import type { PlainRows } from './plain-rows.ts'

/** `version`: SHA-256 over the SHA-256 of each row, in order. `content`: of the file. */
export type Spooled = { version: string; content: string; count: number }

const PIECE_BYTES = 1 << 20
const HASH_BYTES = 32
const HASHES_AT_ONCE = 4096
const NEWLINE = 10
/** Of a UTF-16 unit in UTF-8. */
const MOST_BYTES_A_UNIT = 3

export class Spool {
  private readonly fd: number
  private readonly versionHash = createHash('sha256')
  private readonly contentHash = createHash('sha256')
  /** Lines that are not written yet, as far as `used`. */
  private lines = Buffer.allocUnsafe(2 * PIECE_BYTES)
  private used = 0
  private readonly hashes = Buffer.allocUnsafe(HASHES_AT_ONCE * HASH_BYTES)
  private count = 0

  constructor(file: string) {
    this.fd = fs.openSync(file, 'wx')
  }

  add(row: unknown): void {
    const text = canonicalJson(row)
    this.makeRoom(MOST_BYTES_A_UNIT * text.length)
    this.finishLine(this.used + this.lines.write(text, this.used))
  }

  addPlain(row: PlainRows): void {
    this.makeRoom(row.size)
    this.finishLine(row.write(this.lines, this.used))
  }

  end(): Spooled {
    this.flush()
    this.versionHash.update(this.hashes.subarray(0, (this.count % HASHES_AT_ONCE) * HASH_BYTES))
    return { version: this.versionHash.digest('hex'), content: this.contentHash.digest('hex'), count: this.count }
  }

  close(): void {
    fs.closeSync(this.fd)
  }

  private finishLine(end: number): void {
    const hash = this.count++ % HASHES_AT_ONCE
    sha256Into(this.hashes, hash * HASH_BYTES, this.lines.subarray(this.used, end))
    if (hash === HASHES_AT_ONCE - 1) this.versionHash.update(this.hashes)
    this.lines[end] = NEWLINE
    this.used = end + 1
    if (this.used > PIECE_BYTES) this.flush()
  }

  /** For a line of so many bytes and its line break. */
  private makeRoom(bytes: number): void {
    if (this.used + bytes < this.lines.length) return
    this.flush()
    if (bytes >= this.lines.length) this.lines = Buffer.allocUnsafe(bytes + 1)
  }

  private flush(): void {
    const lines = this.lines.subarray(0, this.used)
    this.contentHash.update(lines)
    fs.writeFileSync(this.fd, lines)
    this.used = 0
  }
}
