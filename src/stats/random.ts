// All randomness of hone: seeds derived by hash of (run seed, purpose, step, index), so that adding a chart or a mark
// never disturbs another draw, and a generator built from one seed. xoshiro128** (Blackman and Vigna, arXiv 1805.01407)
// seeded through a splitmix; not cryptographic. Left out: saved generator state; derive a fresh seed for each step instead.
import { invariant } from '#errors'

export type Generator = {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number
  /** Standard normal. */
  normal(): number
  /** Uniform whole number in [0, below). */
  int(below: number): number
  /** A new array in random order. */
  shuffle<T>(items: readonly T[]): T[]
  /** One of the items; they must not be empty. */
  pick<T>(items: readonly T[]): T
}

/** A seed for one purpose: a whole number in [0, 2^53), by hash of the seed and the parts; '1' and 1 differ. */
export function deriveSeed(seed: number, ...parts: (string | number)[]): number {
  let low = 0x9e3779b9
  let high = 0x85ebca6b
  const absorb = (word: number) => {
    low = mix(low ^ word)
    high = mix((high + Math.imul(word, 0xc2b2ae35) + low) | 0)
  }
  for (const part of [seed, ...parts]) {
    const text = typeof part === 'number' ? `n${part}` : `s${part}`
    for (let i = 0; i < text.length; i++) absorb(text.charCodeAt(i))
    absorb(0x10000 + text.length) // keeps ('ab','c') and ('a','bc') apart
  }
  return (mix(high) >>> 11) * 0x1_0000_0000 + (mix(low ^ high) >>> 0)
}

/** A generator that depends on the seed alone. */
export function generator(seed: number): Generator {
  invariant(Number.isFinite(seed), `a seed must be a finite number, got ${seed}`)
  let s0 = mix((seed >>> 0) + 0x9e3779b9)
  let s1 = mix(Math.floor(seed / 0x1_0000_0000) + 0x3c6ef372)
  let s2 = mix(s0 ^ (s1 + 0xdaa66d2b))
  let s3 = mix(s1 ^ (s2 + 0x78dde6e4)) | 1 // the state is never all zero
  const next = () => {
    const result = Math.imul(rotate(Math.imul(s1, 5), 7), 9)
    const t = s1 << 9
    s2 ^= s0
    s3 ^= s1
    s1 ^= s2
    s0 ^= s3
    s2 ^= t
    s3 = rotate(s3, 11)
    return result >>> 0
  }
  for (let i = 0; i < 8; i++) next()
  const uniform = () => ((next() >>> 5) * 0x400_0000 + (next() >>> 6)) / 0x20_0000_0000_0000
  const int = (below: number) => {
    invariant(below >= 1 && Number.isInteger(below), `int needs a whole number of at least 1, got ${below}`)
    return Math.floor(uniform() * below)
  }
  return {
    uniform,
    int,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    shuffle: (items) => {
      const shuffled = [...items]
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = int(i + 1)
        const kept = shuffled[i]!
        shuffled[i] = shuffled[j]!
        shuffled[j] = kept
      }
      return shuffled
    },
    pick: (items) => items[int(items.length)]!,
  }
}

/** A bijection of 32-bit words in which every input bit reaches every output bit (murmur3's finalizer). */
function mix(word: number): number {
  let x = word | 0
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return x ^ (x >>> 16)
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by))
}
