// Content has one name: its SHA-256. Rows are hashed over RFC 8785 canonical JSON, so that key order, spacing and
// number spelling do not change a row's name.
import crypto, { createHash } from 'node:crypto'
import fs from 'node:fs'
import { DataError } from '#errors'

const CHUNK = 1 << 20
/** JSON nested deeper is hostile: recursion must not exhaust the stack. */
const DEEPEST = 256

/** Hex SHA-256 of text (as UTF-8) or bytes. */
export function sha256(content: string | Uint8Array): string {
  return inOneCall(content)
}

/** Writes the 32 bytes of the SHA-256 of text (as UTF-8) or bytes. */
export function sha256Into(to: Buffer, at: number, content: string | Uint8Array): void {
  to.write(inOneCall(content), at, 'hex')
}

/** Node has it from 20.12 on: a third of the time for a row of some hundred bytes. */
const inOneCall: (content: string | Uint8Array) => string =
  typeof crypto.hash === 'function'
    ? (content) => crypto.hash('sha256', content, 'hex')
    : (content) => createHash('sha256').update(content).digest('hex')

/** Hex SHA-256 of a file, read in pieces of 1 MiB. A file that cannot be read is a DataError. */
export function sha256File(path: string): string {
  const hash = createHash('sha256')
  let fd: number
  try {
    fd = fs.openSync(path, 'r')
  } catch (cause) {
    throw new DataError('cannot be opened', { file: path }, { cause })
  }
  try {
    const piece = Buffer.allocUnsafe(CHUNK)
    for (;;) {
      const read = fs.readSync(fd, piece, 0, CHUNK, null)
      if (read === 0) return hash.digest('hex')
      hash.update(piece.subarray(0, read))
    }
  } catch (cause) {
    throw new DataError('cannot be read', { file: path }, { cause })
  } finally {
    fs.closeSync(fd)
  }
}

/** Hex SHA-256 of a row's canonical JSON. */
export function hashRow(row: unknown): string {
  return sha256(canonicalJson(row))
}

/**
 * RFC 8785 canonical JSON: keys sorted by UTF-16 code units, ECMAScript numbers and string escapes, no spaces.
 * Undefined properties are absent, as in JSON.stringify. A value that JSON does not have (NaN, a bigint, a lone
 * surrogate, a class) is a DataError whose field says where.
 */
export function canonicalJson(value: unknown): string {
  return canonical(value, '', 0)
}

function canonical(value: unknown, field: string, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return canonicalString(value, field)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw refused(`a number that JSON has, got ${value}`, field)
    return JSON.stringify(value)
  }
  if (typeof value !== 'object') throw refused(`a JSON value, got a ${typeof value}`, field)
  if (depth >= DEEPEST) throw refused(`at most ${DEEPEST} levels of nesting, got more`, field)
  if (Array.isArray(value)) return `[${value.map((item, i) => canonical(item, `${field}[${i}]`, depth + 1)).join(',')}]`
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw refused('a plain object, got a class instance', field)
  const record = value as Record<string, unknown>
  let members = ''
  for (const key of Object.keys(record).sort()) {
    const member = record[key]
    if (member === undefined) continue
    const inner = field ? `${field}.${key}` : key
    members += `${members === '' ? '' : ','}${canonicalString(key, inner)}:${canonical(member, inner, depth + 1)}`
  }
  return `{${members}}`
}

function canonicalString(text: string, field: string): string {
  if (!text.isWellFormed()) throw refused('well-formed text, got a lone surrogate', field)
  return JSON.stringify(text)
}

function refused(message: string, field: string): DataError {
  return new DataError(`expected ${message}`, field ? { field } : {})
}
