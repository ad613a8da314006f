// Parser of the safetensors header: an object of tensors, each {dtype, shape, data_offsets}, and `__metadata__`, an
// object of strings. Written out because JSON.parse forgets duplicate names, rounds whole numbers above 2^53 and builds
// whatever a hostile header nests; this reads only what the format has, in one pass, with bounded memory.
import { DataError } from '#errors'

/** Bytes an element. */
export const DTYPE_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  I16: 2,
  U16: 2,
  F16: 2,
  BF16: 2,
  I32: 4,
  U32: 4,
  F32: 4,
  I64: 8,
  U64: 8,
  F64: 8,
  C64: 8,
} as const
export type Dtype = keyof typeof DTYPE_BYTES

/** Names that JavaScript objects or the format itself claim. */
export const RESERVED: ReadonlySet<string> = new Set(['__metadata__', '__proto__'])

export type HeaderTensor = { dtype: Dtype; shape: number[]; begin: number; end: number }
export type Header = { metadata: Record<string, string>; tensors: Map<string, HeaderTensor> }

/** More dimensions than any tensor library takes. */
const MOST_DIMENSIONS = 64

/** Any breach is a DataError with the file and the character in the header. */
export function parseHeader(text: string, file: string): Header {
  const cursor: Cursor = { text, at: 0, file }
  if (text[0] !== '{') throw wrong(cursor, `a header that begins with '{'`)
  const tensors = new Map<string, HeaderTensor>()
  let metadata: Record<string, string> | undefined
  object(cursor, (name) => {
    if (name === '__metadata__') {
      if (metadata) throw wrong(cursor, 'each name once', '__metadata__ again')
      metadata = readMetadata(cursor)
      return
    }
    if (RESERVED.has(name)) throw wrong(cursor, 'a tensor name', name)
    if (tensors.has(name)) throw wrong(cursor, 'each name once', `${JSON.stringify(name)} again`)
    tensors.set(name, readTensor(cursor))
  })
  // The format pads with spaces and nothing else.
  while (text[cursor.at] === ' ') cursor.at++
  if (cursor.at !== text.length) throw wrong(cursor, 'only spaces after the header')
  return { metadata: metadata ?? {}, tensors }
}

type Cursor = { text: string; at: number; file: string }

function readMetadata(cursor: Cursor): Record<string, string> {
  const metadata: Record<string, string> = {}
  object(cursor, (key) => {
    if (RESERVED.has(key) || Object.hasOwn(metadata, key))
      throw wrong(cursor, 'each metadata key once and no reserved one', key)
    metadata[key] = string(cursor)
  })
  return metadata
}

function readTensor(cursor: Cursor): HeaderTensor {
  let dtype: Dtype | undefined
  let shape: number[] | undefined
  let offsets: number[] | undefined
  object(cursor, (field) => {
    if (field === 'dtype' && dtype === undefined) {
      const name = string(cursor)
      if (!isDtype(name)) throw wrong(cursor, `a dtype of ${Object.keys(DTYPE_BYTES).join(', ')}`, name)
      dtype = name
    } else if (field === 'shape' && shape === undefined) shape = wholeNumbers(cursor)
    else if (field === 'data_offsets' && offsets === undefined) offsets = wholeNumbers(cursor)
    else throw wrong(cursor, 'dtype, shape and data_offsets, each once', field)
  })
  const [begin, end] = offsets ?? []
  if (dtype === undefined || shape === undefined || begin === undefined || end === undefined || offsets?.length !== 2)
    throw wrong(cursor, 'a tensor with dtype, shape and two data_offsets')
  return { dtype, shape, begin, end }
}

function isDtype(name: string): name is Dtype {
  return Object.hasOwn(DTYPE_BYTES, name)
}

/** Reads an object, calling `member` with each name when the cursor stands at its value. */
function object(cursor: Cursor, member: (name: string) => void): void {
  expect(cursor, '{')
  if (accept(cursor, '}')) return
  do {
    const name = string(cursor)
    expect(cursor, ':')
    member(name)
  } while (accept(cursor, ','))
  expect(cursor, '}')
}

function wholeNumbers(cursor: Cursor): number[] {
  const numbers: number[] = []
  expect(cursor, '[')
  if (accept(cursor, ']')) return numbers
  do {
    if (numbers.length === MOST_DIMENSIONS) throw wrong(cursor, `at most ${MOST_DIMENSIONS} numbers`)
    numbers.push(wholeNumber(cursor))
  } while (accept(cursor, ','))
  expect(cursor, ']')
  return numbers
}

const WHOLE = /(?:0|[1-9]\d{0,15})(?![\d.eE])/y

function wholeNumber(cursor: Cursor): number {
  skipSpace(cursor)
  WHOLE.lastIndex = cursor.at
  const digits = WHOLE.exec(cursor.text)?.[0]
  const value = Number(digits)
  if (digits === undefined || !Number.isSafeInteger(value)) throw wrong(cursor, 'a whole number from 0 to 2^53 - 1')
  cursor.at += digits.length
  return value
}

function string(cursor: Cursor): string {
  skipSpace(cursor)
  const { text, at } = cursor
  let end = at + 1
  while (end < text.length && text[end] !== '"') end += text[end] === '\\' ? 2 : 1
  if (text[at] !== '"' || end >= text.length) throw wrong(cursor, 'a string in double quotes')
  cursor.at = end + 1
  const value = parseString(text.slice(at, end + 1))
  if (value === undefined) throw wrong({ ...cursor, at }, 'a JSON string')
  return value
}

/** Undefined: no JSON, or half of a surrogate pair, which no UTF-8 file can name. */
function parseString(quoted: string): string | undefined {
  try {
    const value = JSON.parse(quoted) as string
    return value.isWellFormed() ? value : undefined
  } catch {
    return undefined
  }
}

function accept(cursor: Cursor, character: string): boolean {
  skipSpace(cursor)
  if (cursor.text[cursor.at] !== character) return false
  cursor.at++
  return true
}

function expect(cursor: Cursor, character: string): void {
  if (!accept(cursor, character)) throw wrong(cursor, `'${character}'`)
}

function skipSpace(cursor: Cursor): void {
  while (' \t\n\r'.includes(cursor.text[cursor.at] ?? 'x')) cursor.at++
}

function wrong({ text, at, file }: Cursor, expected: string, got?: string): DataError {
  const found = got ?? (at < text.length ? JSON.stringify(text.slice(at, at + 20)) : 'the end')
  return new DataError(`header, character ${at + 1}: expected ${expected}, got ${found.slice(0, 200)}`, { file })
}
