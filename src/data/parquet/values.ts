// What Parquet's values are in a row: text, numbers, yes and no; dates and times as ISO 8601 texts, JSON as what it says.
// What a row cannot hold exactly (an INT64 beyond a double, NaN) is wrong with that row; a type without a meaning here is
// wrong with the file.
import { isUtf8 } from 'node:buffer'
import { DataError } from '#errors'
import { type Json, parseJson } from '../json.ts'
import type { Column } from './footer.ts'
import type { Raw } from './encodings.ts'

const DAY_MILLISECONDS = 86_400_000
/** As far as Date reaches. */
const MOST_MILLISECONDS = 8_640_000_000_000_000n
const JULIAN_DAY_OF_1970 = 2_440_588n
/** Decimal digits that a double holds. */
const MOST_DIGITS = 15

const WHOLE = ['INT32', 'INT64'] as const
const BYTES = ['BYTE_ARRAY', 'FIXED'] as const
/** As what each may lie in the file; a file that says otherwise lies. */
const TYPES_OF: Partial<Record<Column['meaning'], readonly Column['type'][]>> = {
  text: BYTES,
  json: BYTES,
  uuid: BYTES,
  date: ['INT32'],
  time: WHOLE,
  timestamp: WHOLE,
  unsigned: WHOLE,
  decimal: [...WHOLE, ...BYTES],
}

/** How a column's values are said. Throws DataError for a type that rows have no word for; what it answers throws for a value. */
export function meaningOf(column: Column): (raw: Raw) => Json {
  const { meaning, type } = column
  const types = TYPES_OF[meaning]
  if (types && !types.includes(type)) unsaid(column)
  switch (meaning) {
    case 'text':
      return (raw) => readText(raw as Buffer)
    case 'json':
      return (raw) => parseJson(readText(raw as Buffer))
    case 'uuid':
      return (raw) => (raw as Buffer).toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
    case 'date':
      return (raw) => isoDate(BigInt(raw as number) * BigInt(DAY_MILLISECONDS)).slice(0, 10)
    case 'timestamp':
      return (raw) => isoTime(BigInt(raw as number | bigint), column.digits) + (column.isUtc ? 'Z' : '')
    case 'time':
      return (raw) => isoTime(BigInt(raw as number | bigint), column.digits).slice('1970-01-01T'.length)
    case 'decimal':
      return decimals(column)
    case 'unsigned':
      return (raw) => (typeof raw === 'bigint' ? wholeNumber(BigInt.asUintN(64, raw)) : (raw as number) >>> 0)
    case 'plain':
      break
    case 'list':
    case 'map':
    case 'bson':
    case 'interval':
    case 'float16':
    case 'variant':
    case 'geometry':
    case 'geography':
      return unsaid(column)
    default:
      return meaning satisfies never
  }
  if (type === 'BOOLEAN') return (raw) => raw as boolean
  if (type === 'INT32') return (raw) => raw as number
  if (type === 'INT64') return (raw) => wholeNumber(raw as bigint)
  if (type === 'FLOAT' || type === 'DOUBLE') return (raw) => finite(raw as number)
  if (type === 'INT96') return (raw) => `${isoTime(nanoseconds(raw as Buffer), 9)}Z`
  if (type === 'BYTE_ARRAY') return (raw) => readText(raw as Buffer)
  return unsaid(column)
}

function unsaid(column: Column): never {
  throw new DataError(
    `expected text, numbers, booleans, dates, lists or structs, got ${column.meaning === 'plain' ? column.type : column.meaning}: cast the column to text, or leave it out`,
    { field: fieldOf(column) },
  )
}

/** `messages.list.element.role` */
export function fieldOf({ path }: Column): string {
  return path.map(({ name }) => name).join('.')
}

function readText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (text.includes('\u{fffd}') && !isUtf8(bytes))
    throw new DataError('expected UTF-8, got other bytes: save the column as text, or leave it out')
  return text
}

function wholeNumber(value: bigint): number {
  const number = Number(value)
  if (BigInt(number) !== value)
    throw new DataError(`expected an integer that a double holds, got ${value}: write it as text`)
  return number
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new DataError(`expected a number, got ${value}: write null where there is none`)
  return value
}

function decimals(column: Column): (raw: Raw) => Json {
  const { scale, precision } = column
  if (!(precision >= 1 && precision <= MOST_DIGITS && scale >= 0 && scale <= precision))
    throw new DataError(
      `expected a decimal of at most ${MOST_DIGITS} digits, which a double holds, got ${precision}: cast the column to text`,
      { field: fieldOf(column) },
    )
  return (raw) => {
    const unscaled = typeof raw === 'object' ? signed(raw) : BigInt(raw)
    // By its digits, since 3 * 10 ** -1 is not 0.3.
    return Number(`${unscaled}e-${scale}`)
  }
}

/** Big-endian, two's complement. */
function signed(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${bytes.toString('hex')}`))
}

/** INT96, as Spark wrote times: nanoseconds of the day, then the Julian day. */
function nanoseconds(bytes: Buffer): bigint {
  const days = BigInt(bytes.readInt32LE(8)) - JULIAN_DAY_OF_1970
  return days * BigInt(DAY_MILLISECONDS) * 1_000_000n + bytes.readBigInt64LE(0)
}

/** Without a zone; a third of a second's digits at the least, more where they are not 0. */
function isoTime(value: bigint, digits: Column['digits']): string {
  const perMillisecond = 10n ** BigInt(digits - 3)
  const rest = BigInt.asUintN(64, ((value % perMillisecond) + perMillisecond) % perMillisecond)
  const iso = isoDate((value - rest) / perMillisecond)
  return iso.slice(0, -1) + (rest === 0n ? '' : String(rest).padStart(digits - 3, '0'))
}

function isoDate(milliseconds: bigint): string {
  if (milliseconds > MOST_MILLISECONDS || milliseconds < -MOST_MILLISECONDS)
    throw new DataError('expected a time within 275,000 years of 1970, got another: write it as text')
  return new Date(Number(milliseconds)).toISOString()
}
