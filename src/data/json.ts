// Strict JSON (RFC 8259) with positions. JSON.parse would do but for four things: it keeps the last of duplicate keys
// silently, turns 1e400 into Infinity and 2^53 + 1 into 2^53, lets lone surrogates and __proto__ in, and does not say where.
// Refused beyond the RFC: duplicate keys, numbers that a double cannot hold, lone surrogates, NUL, __proto__, deep nesting.
import { DataError, type Place } from '#errors'
import { MOST_NESTING, MOST_VALUES } from './limits.ts'

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }
export type Path = readonly PropertyKey[]

/** Where a text begins in its file; `line` and `column` count from 1, columns in UTF-16 units. `row`: of a format without lines, in their stead. */
export type Start = { file?: string; line: number; column: number; row?: number }

const QUOTE = 34
const BACKSLASH = 92
const ESCAPES: Record<string, string> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const LITERALS: [string, Json][] = [
  ['true', true],
  ['false', false],
  ['null', null],
]

/** The one value that `text` holds. Throws DataError with line, column and field. */
export function parseJson(text: string, start: Start = { line: 1, column: 1 }): Json {
  return new Parser(text, start).document()
}

/** The place of the value at `path`, or of the nearest value around it when that is missing. `text` must parse. */
export function placeOf(text: string, path: Path, start: Start): Place {
  const parser = new Parser(text, start, path)
  parser.document()
  return parser.place(parser.found)
}

/** `prompt[1].role` */
export function describePath(path: Path): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i ? '.' : ''}${String(key)}`)).join('')
}

class Parser {
  found = 0
  private at = 0
  private depth = 0
  private values = 0
  private foundDepth = -1
  private readonly path: PropertyKey[] = []
  private readonly text: string
  private readonly start: Start
  private readonly sought: Path | undefined

  constructor(text: string, start: Start, sought?: Path) {
    this.text = text
    this.start = start
    this.sought = sought
  }

  document(): Json {
    this.space()
    const value = this.value()
    this.space()
    if (this.at < this.text.length) this.fail('expected the end after one value')
    return value
  }

  place(offset: number): Place {
    const { file, line, column, row } = this.start
    if (row !== undefined) return { ...(file === undefined ? {} : { file }), row }
    const before = this.text.slice(0, offset)
    const lastBreak = before.lastIndexOf('\n')
    const breaks = lastBreak < 0 ? 0 : before.split('\n').length - 1
    return {
      ...(file === undefined ? {} : { file }),
      line: line + breaks,
      column: breaks ? offset - lastBreak : column + offset,
    }
  }

  private value(): Json {
    if (this.sought) this.note()
    if (++this.values > MOST_VALUES) this.fail(`expected at most ${MOST_VALUES} values in a row, got more`)
    switch (this.text[this.at]) {
      case '{':
        return this.object()
      case '[':
        return this.array()
      case '"':
        return this.string()
      default:
        return this.scalar()
    }
  }

  private object(): Json {
    const members: { [key: string]: Json } = {}
    this.enter()
    if (this.text[this.at] === '}') return this.leave(members)
    for (;;) {
      const keyAt = this.at
      if (this.text[this.at] !== '"') this.fail('expected a key in double quotes')
      const key = this.string()
      if (key === '__proto__') this.fail('expected an ordinary key, got __proto__: rename it', keyAt)
      if (Object.hasOwn(members, key))
        this.fail(`expected each key once, got ${JSON.stringify(key)} twice: keep one`, keyAt)
      this.space()
      if (this.text[this.at] !== ':') this.fail('expected : after the key')
      this.at++
      this.space()
      this.path.push(key)
      members[key] = this.value()
      this.path.pop()
      if (this.isLast('}')) return this.leave(members)
    }
  }

  private array(): Json {
    const elements: Json[] = []
    this.enter()
    if (this.text[this.at] === ']') return this.leave(elements)
    for (;;) {
      this.path.push(elements.length)
      elements.push(this.value())
      this.path.pop()
      if (this.isLast(']')) return this.leave(elements)
    }
  }

  private enter(): void {
    if (++this.depth > MOST_NESTING) this.fail(`expected at most ${MOST_NESTING} levels of nesting`)
    this.at++
    this.space()
  }

  private leave<T>(value: T): T {
    this.depth--
    this.at++
    return value
  }

  /** After a member: true at the closing bracket, false after a comma. */
  private isLast(close: string): boolean {
    this.space()
    const c = this.text[this.at]
    if (c === close) return true
    if (c !== ',') this.fail(`expected , or ${close}`)
    this.at++
    this.space()
    if (this.text[this.at] === close) this.fail('expected a value after the comma: remove the trailing comma')
    return false
  }

  private string(): string {
    const { text } = this
    let out = ''
    let from = ++this.at
    for (;;) {
      const c = text.charCodeAt(this.at)
      if (c === QUOTE) {
        out += text.slice(from, this.at++)
        return out
      }
      if (c === BACKSLASH) {
        out += text.slice(from, this.at) + this.escape()
        from = this.at
      } else if (c >= 32) this.at++
      else if (this.at >= text.length) this.fail('expected " at the end of the string')
      else this.fail('expected control characters of a string to be escaped')
    }
  }

  private escape(): string {
    const { text } = this
    const c = text[this.at + 1] ?? ''
    if (c !== 'u') {
      const meant = ESCAPES[c]
      if (meant === undefined) this.fail('expected one of \\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX', this.at, `\\${c}`)
      this.at += 2
      return meant
    }
    const unit = this.hex(this.at)
    if (unit === 0) this.fail('expected text without NUL', this.at, '\\u0000')
    if (unit < 0xd800 || unit > 0xdfff) {
      this.at += 6
      return String.fromCharCode(unit)
    }
    const low = unit < 0xdc00 && text.startsWith('\\u', this.at + 6) ? this.hex(this.at + 6) : 0
    if (low < 0xdc00 || low > 0xdfff)
      this.fail('expected surrogates in pairs', this.at, `a lone ${text.slice(this.at, this.at + 6)}`)
    this.at += 12
    return String.fromCharCode(unit, low)
  }

  private hex(at: number): number {
    const digits = this.text.slice(at + 2, at + 6)
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail('expected four hexadecimal digits after \\u', at, digits)
    return Number.parseInt(digits, 16)
  }

  private scalar(): Json {
    NUMBER.lastIndex = this.at
    const number = NUMBER.exec(this.text)?.[0]
    if (number !== undefined) return this.number(number)
    for (const [word, meant] of LITERALS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length
        return meant
      }
    }
    const word = /^[-+]?[A-Za-z]+/.exec(this.text.slice(this.at, this.at + 20))?.[0]
    this.fail('expected a JSON value', this.at, word)
  }

  private number(digits: string): number {
    const value = Number(digits)
    if (!Number.isFinite(value)) this.fail('expected a number that a double holds', this.at, digits)
    // A large integer in a double's own spelling (JSON.stringify(2 ** 60)) loses nothing; any other is rounded silently.
    if (!Number.isSafeInteger(value) && /^-?[0-9]+$/.test(digits) && String(value) !== digits)
      this.fail('expected an integer that a double holds: write it as text', this.at, digits)
    this.at += digits.length
    return value
  }

  private space(): void {
    for (;;) {
      const c = this.text.charCodeAt(this.at)
      if (c !== 32 && c !== 10 && c !== 13 && c !== 9) return
      this.at++
    }
  }

  /** Remembers the deepest value on the way to the path sought. */
  private note(): void {
    const { path, sought } = this
    if (path.length <= this.foundDepth || path.some((key, i) => key !== sought![i])) return
    this.found = this.at
    this.foundDepth = path.length
  }

  private fail(expected: string, at = this.at, got?: string): never {
    const came = got ?? (at < this.text.length ? describeCharacter(this.text.codePointAt(at)!) : 'the end')
    const message = expected.includes(', got ') ? expected : `${expected}, got ${came}`
    const field = describePath(this.path)
    throw new DataError(message, { ...this.place(at), ...(field ? { field: shorten(field) } : {}) })
  }
}

function describeCharacter(code: number): string {
  const isVisible = code > 32 && code !== 0x7f && code !== 0xfeff && !(code >= 0x80 && code < 0xa1)
  return isVisible ? String.fromCodePoint(code) : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}
