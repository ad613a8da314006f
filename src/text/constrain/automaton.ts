// Runs a network as a deterministic automaton that is made while it runs: a configuration is the set of states in which the
// network may be, each with its stack of returns; equal ones are one number, and their transitions are kept. It knows the
// fewest tokens from each to a whole text, and goes nowhere that has no way to one with the tokens there are.
import type { Network, Rule } from './network.ts'
import type { Vocabulary } from './vocabulary.ts'

export type Automaton = {
  start: number
  /** The configuration after a byte; -1 when the byte may not come. */
  next(configuration: number, byte: number): number
  /** What `next` has found so far, at 256 * configuration + byte; -2 where nobody asked yet. Another array once it has grown. */
  table(): Int32Array
  /** Configurations so far. */
  size(): number
  isWhole(configuration: number): boolean
  /** Whether any byte may follow. */
  isOpen(configuration: number): boolean
  /** Tokens that surely suffice to a whole text; Infinity when none do. */
  least(configuration: number): number
}

type Thread = { state: number; stack: Stack }
/** Where to go on when a rule ends. `least`: tokens from there to a whole text. */
type Stack = { id: number; state: number; below: Stack | undefined; least: number; pushed: Map<number, Stack> }
type Configuration = { threads: Thread[]; isWhole: boolean; least: number }

/** No configuration. */
export const DEAD = -1
const UNKNOWN = -2

export function openAutomaton(network: Network, vocabulary: Vocabulary): Automaton {
  const { states, root } = network
  const isSpelled = Array.from({ length: 256 }, (_, byte) => vocabulary.has(Uint8Array.of(byte)))
  const toEnd = leastToEnd(network, vocabulary, isSpelled)
  const ends = new Set<number>([root.end])
  for (const { calls } of states) for (const { rule } of calls) ends.add(rule.end)
  let stacks = 0
  const bottom: Stack = { id: stacks++, state: -1, below: undefined, least: 0, pushed: new Map() }
  const configurations: Configuration[] = []
  const numbers = new Map<string, number>()
  let table = new Int32Array(0)

  function push(stack: Stack, state: number): Stack {
    let made = stack.pushed.get(state)
    if (!made) {
      made = { id: stacks++, state, below: stack, least: toEnd[state]! + stack.least, pushed: new Map() }
      stack.pushed.set(state, made)
    }
    return made
  }

  /** The configuration of these threads and all that they reach without a byte. */
  function enter(entered: Thread[]): number {
    const seen = new Set<string>()
    const threads: Thread[] = []
    let isWhole = false
    let least = Infinity
    const left = [...entered]
    for (let thread = left.pop(); thread; thread = left.pop()) {
      const { state, stack } = thread
      const key = `${state} ${stack.id}`
      const own = toEnd[state]! + stack.least
      if (seen.has(key) || own === Infinity) continue
      seen.add(key)
      least = Math.min(least, own)
      if (ends.has(state)) {
        if (stack.below) left.push({ state: stack.state, stack: stack.below })
        else isWhole = true
      }
      const { bytes, jumps, calls } = states[state]!
      for (const to of jumps) left.push({ state: to, stack })
      for (const { rule, to } of calls) left.push({ state: rule.start, stack: push(stack, to) })
      if (bytes.length > 0) threads.push(thread)
    }
    if (threads.length === 0 && !isWhole) return DEAD
    threads.sort((a, b) => a.state - b.state || a.stack.id - b.stack.id)
    const name = `${isWhole} ${threads.map(({ state, stack }) => `${state} ${stack.id}`).join()}`
    let number = numbers.get(name)
    if (number === undefined) {
      number = configurations.push({ threads, isWhole, least }) - 1
      if (256 * number === table.length) {
        const grown = new Int32Array(Math.max(256 * 64, 2 * table.length)).fill(UNKNOWN)
        grown.set(table)
        table = grown
      }
      numbers.set(name, number)
    }
    return number
  }

  /** Where each byte leads: those between two ends of the ranges in use lead to one place. */
  function follow(number: number): void {
    const next = new Int32Array(256).fill(DEAD)
    const ranges = configurations[number]!.threads.flatMap(({ state, stack }) =>
      states[state]!.bytes.map(({ low, high, to }) => ({ low, high, thread: { state: to, stack } })),
    )
    const cuts = [...new Set(ranges.flatMap(({ low, high }) => [low, high + 1]))].sort((a, b) => a - b)
    for (let i = 0; i + 1 < cuts.length; i++) {
      const [from, to] = [cuts[i]!, cuts[i + 1]!]
      const entered = ranges.filter(({ low, high }) => low <= from && from <= high)
      if (entered.length > 0) next.fill(enter(entered.map(({ thread }) => thread)), from, to)
    }
    table.set(
      next.map((to, byte) => (isSpelled[byte] ? to : DEAD)),
      256 * number,
    )
  }

  return {
    start: enter([{ state: root.start, stack: bottom }]),
    next(number, byte) {
      if (table[256 * number + byte] === UNKNOWN) follow(number)
      return table[256 * number + byte]!
    },
    table: () => table,
    size: () => configurations.length,
    isWhole: (number) => configurations[number]!.isWhole,
    isOpen: (number) => configurations[number]!.threads.length > 0,
    least: (number) => (number === DEAD ? Infinity : configurations[number]!.least),
  }
}

/** Of each state, the fewest tokens to the end of its rule: a byte each, and along fixed texts whole tokens. */
function leastToEnd({ states, literals, root }: Network, vocabulary: Vocabulary, isSpelled: boolean[]): Float64Array {
  const leaps: number[][] = []
  for (const literal of literals)
    for (let k = 0; k < literal.bytes.length; k++) {
      const from = literal.states[k]!
      for (let end = k + 2; end <= Math.min(k + vocabulary.longest, literal.bytes.length); end++)
        if (vocabulary.has(literal.bytes.subarray(k, end)) && literal.bytes.subarray(k, end).every((b) => isSpelled[b]))
          (leaps[from] ??= []).push(literal.states[end]!)
    }
  const canTake = ({ low, high }: { low: number; high: number }): boolean =>
    isSpelled.slice(low, high + 1).includes(true)
  const steps = states.map(({ bytes }, from) => [...bytes.filter(canTake).map(({ to }) => to), ...(leaps[from] ?? [])])
  const toEnd = new Float64Array(states.length).fill(Infinity)
  const finish = (rule: Rule): void => void (toEnd[rule.end] = 0)
  finish(root)
  for (const { calls } of states) for (const { rule } of calls) finish(rule)
  // States are mostly made before those they lead to, so that few sweeps from the last to the first suffice.
  for (let isChanged = true; isChanged; ) {
    isChanged = false
    for (let state = states.length - 1; state >= 0; state--) {
      const { jumps, calls } = states[state]!
      let least = toEnd[state]!
      for (const to of steps[state]!) least = Math.min(least, 1 + toEnd[to]!)
      for (const to of jumps) least = Math.min(least, toEnd[to]!)
      for (const { rule, to } of calls) least = Math.min(least, toEnd[rule.start]! + toEnd[to]!)
      if (least < toEnd[state]!) {
        toEnd[state] = least
        isChanged = true
      }
    }
  }
  return toEnd
}
