// Rows that say again what an earlier row said: the same, nearly the same, or the opposite. Texts are taken in as rows pass
// by and not kept: of each, 128 bits of the SHA-256 of what it asks and answers, and its grams.
import { sha256Into } from '#files'
import type { Reason } from './check.ts'
import { Grams } from './grams.ts'
import { NearIndex } from './near-duplicates.ts'
import type { Kind } from './normalise.ts'
import type { ComparedTexts, Keys } from './texts.ts'

export class Repeats {
  private readonly answers = new FirstRows()
  /** None where asking the same is answering the same. */
  private readonly questions: FirstRows | undefined
  private readonly grams: Grams | undefined
  private readonly similarity: number
  private near: NearIndex | undefined

  /** `isNear`: whether near-duplicates are looked for. */
  constructor(kind: Kind, { similarity, isNear }: { similarity: number; isNear: boolean }) {
    this.similarity = similarity
    this.questions = kind === 'prompts' || kind === 'demonstrations' ? undefined : new FirstRows()
    this.grams = isNear ? new Grams() : undefined
  }

  /** The next row. */
  take({ question, answer }: Keys, { whole }: ComparedTexts): void {
    this.answers.take(answer)
    this.questions?.take(question)
    this.grams?.add(whole)
  }

  /** What the row repeats of the originals so far. One that repeats nothing becomes an original itself, if it may. All rows must have been taken. */
  find(row: number, isOriginal: boolean): Reason[] {
    const same = this.answers.find(row)
    if (same !== undefined) return [{ check: 'exact-duplicate', detail: `same as row ${same + 1}`, other: same }]
    const opposed = this.questions?.find(row)
    if (opposed !== undefined)
      return [{ check: 'contradiction', detail: `row ${opposed + 1} answers the opposite`, other: opposed }]
    if (this.grams) this.near ??= new NearIndex(this.grams, this.similarity)
    const close = this.near?.find(row)
    if (close)
      return [
        {
          check: 'near-duplicate',
          detail: `${Math.round(close.similarity * 100)}% the words of row ${close.other + 1}`,
          other: close.other,
        },
      ]
    if (isOriginal) {
      this.answers.add(row)
      this.questions?.add(row)
      this.near?.add(row)
    }
    return []
  }
}

const NUMBERS_A_KEY = 4

/** For each key, the row that was added with it: a hash table by open addressing over the keys of all rows. */
class FirstRows {
  private keys = new Uint32Array(NUMBERS_A_KEY * 1024)
  private rows = 0
  /** Row + 1; 0 is a free place. A power of two, at least half of it free. */
  private table: Int32Array | undefined
  private readonly digest = Buffer.from(new ArrayBuffer(32))
  private readonly digestNumbers = new Uint32Array(this.digest.buffer)

  /** The key of the next row. */
  take(key: string): void {
    const at = NUMBERS_A_KEY * this.rows++
    if (at === this.keys.length) {
      const larger = new Uint32Array(2 * at)
      larger.set(this.keys)
      this.keys = larger
    }
    sha256Into(this.digest, 0, key)
    for (let i = 0; i < NUMBERS_A_KEY; i++) this.keys[at + i] = this.digestNumbers[i]!
  }

  find(row: number): number | undefined {
    const held = this.places()[this.placeOf(row)]!
    return held === 0 ? undefined : held - 1
  }

  /** A row whose key was not found. */
  add(row: number): void {
    this.places()[this.placeOf(row)] = row + 1
  }

  private places(): Int32Array {
    return (this.table ??= new Int32Array(2 ** Math.ceil(Math.log2(2 * this.rows + 1))))
  }

  /** Where the row's key is, or the free place where it would be. */
  private placeOf(row: number): number {
    const table = this.places()
    const last = table.length - 1
    for (let place = this.keys[NUMBERS_A_KEY * row]! & last; ; place = (place + 1) & last) {
      const held = table[place]!
      if (held === 0 || this.isSame(row, held - 1)) return place
    }
  }

  private isSame(row: number, other: number): boolean {
    for (let i = 0; i < NUMBERS_A_KEY; i++)
      if (this.keys[NUMBERS_A_KEY * row + i] !== this.keys[NUMBERS_A_KEY * other + i]) return false
    return true
  }
}
