// Metadata read with its type: a key that is missing or of another kind is a DataError that names it.
import { DataError } from '#errors'
import { type Metadata, numbersOf, stringsOf, type Value } from './metadata.ts'

export type Fields = ReturnType<typeof fieldsOf>

/** Each reader answers `fallback` for a missing key when one is given. */
export function fieldsOf(metadata: Metadata, file: string) {
  const read = <T>(key: string, { fallback, expected, parse }: Reading<T>): T => {
    const value = metadata.get(key)
    if (value === undefined && fallback !== undefined) return fallback
    const parsed = value === undefined ? undefined : parse(value)
    if (parsed !== undefined) return parsed
    throw refuse(key, `expected ${expected}, got ${value === undefined ? 'nothing' : describe(value)}`)
  }
  const refuse = (key: string, message: string) => new DataError(message, { file, field: key })
  return {
    file,
    refuse,
    has: (key: string) => metadata.has(key),
    keys: () => [...metadata.keys()],
    text: (key: string, fallback?: string) =>
      read(key, { fallback, expected: 'a text', parse: (v) => (typeof v === 'string' ? v : undefined) }),
    flag: (key: string, fallback?: boolean) =>
      read(key, { fallback, expected: 'true or false', parse: (v) => (typeof v === 'boolean' ? v : undefined) }),
    /** From 0 to 2^31 - 1: sizes, counts and token ids. */
    whole: (key: string, fallback?: number) =>
      read(key, {
        fallback,
        expected: 'a whole number from 0 to 2,147,483,647',
        parse: (v) => (typeof v === 'number' && Number.isInteger(v) && v >= 0 && v < 2 ** 31 ? v : undefined),
      }),
    positive: (key: string, fallback?: number) =>
      read(key, {
        fallback,
        expected: 'a positive number',
        parse: (v) => (typeof v === 'number' && v > 0 && v < Infinity ? shortest(v) : undefined),
      }),
    strings: (key: string, fallback?: Iterable<string>) =>
      read(key, {
        fallback,
        expected: 'an array of texts',
        parse: (v) =>
          typeof v === 'object' && v.kind.name === 'string' ? stringsOf(v, { what: key, file }) : undefined,
      }),
    numbers: (key: string, fallback?: number[]) =>
      read(key, {
        fallback,
        expected: 'an array of numbers',
        parse: (v) => (typeof v === 'object' && v.kind.name !== 'string' ? numbersOf(v) : undefined),
      }),
  }
}

type Reading<T> = { fallback: T | undefined; expected: string; parse: (value: Value) => T | undefined }

function describe(value: Value): string {
  return typeof value === 'object'
    ? `an array of ${value.count} ${value.kind.name}`
    : JSON.stringify(value).slice(0, 80)
}

/** The shortest decimal of a float32: 1e-5, where the file can only say 0.00000999999974737875. */
function shortest(value: number): number {
  if (Math.fround(value) !== value) return value
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(value.toPrecision(digits))
    if (Math.fround(rounded) === value) return rounded
  }
  return value
}
