// A grammar as a recursive transition network over bytes (Woods 1970): states with edges that take a byte, jump, or call
// a rule and come back. Built once from a JSON schema; `automaton.ts` runs it.
import { DataError } from '#errors'

export type State = {
  /** Takes one byte from `low` to `high`. */
  bytes: { low: number; high: number; to: number }[]
  jumps: number[]
  /** Runs a rule, and goes on at `to`. */
  calls: { rule: Rule; to: number }[]
}
/** `start` to `end`; the end has no edges. */
export type Rule = { start: number; end: number }
/** States along a fixed text: states[k] stands before bytes[k]. */
export type Literal = { bytes: Uint8Array; states: number[] }
export type Network = { states: State[]; literals: Literal[]; root: Rule }

/** Bounds what a hostile or careless schema (maxLength of a million) can take: about 50 MB. */
const MOST_STATES = 200_000

/** Every function answers the state it leads to: a fresh one unless `to` is given. */
export type Builder = {
  state(): number
  rule(): Rule
  byte(from: number, low: number, high?: number, to?: number): number
  text(from: number, text: string): number
  jump(from: number, to: number): number
  call(from: number, rule: Rule, to?: number): number
  network(root: Rule): Network
}

export function buildNetwork(): Builder {
  const states: State[] = []
  const literals: Literal[] = []
  const state = (): number => {
    if (states.length >= MOST_STATES)
      throw new DataError('expected a smaller JSON schema: its counts, lengths or values are too many')
    return states.push({ bytes: [], jumps: [], calls: [] }) - 1
  }
  const byte = (from: number, low: number, high = low, to = state()): number => {
    states[from]!.bytes.push({ low, high, to })
    return to
  }
  return {
    state,
    byte,
    rule: () => ({ start: state(), end: state() }),
    text(from, text) {
      const bytes = Buffer.from(text)
      const along = [from]
      for (const b of bytes) along.push(byte(along.at(-1)!, b))
      literals.push({ bytes, states: along })
      return along.at(-1)!
    },
    jump(from, to) {
      states[from]!.jumps.push(to)
      return to
    },
    call(from, rule, to = state()) {
      states[from]!.calls.push({ rule, to })
      return to
    },
    network: (root) => ({ states, literals, root }),
  }
}
