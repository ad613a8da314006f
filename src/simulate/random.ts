// Seeded random numbers for simulated worlds: sfc32 over a hash of the parts that name a draw (seed, purpose, index).
// Equal parts give equal draws on every machine. Not for training (the engine takes its own seeds) nor for secrets.

export type Random = {
  /** Uniform in [0, 1). */
  next(): number
  /** Uniform integer in [0, below). */
  integer(below: number): number
  chance(probability: number): boolean
  pick<T>(from: readonly T[]): T
  /** Index drawn in proportion to the weights. */
  weighted(weights: readonly number[]): number
  shuffled<T>(list: readonly T[]): T[]
  /** Standard normal, by Box and Muller. */
  normal(): number
}

/** A generator named by its parts: `random(seed, 'annotators')` never disturbs `random(seed, 'prompts')`. */
export function random(...parts: (string | number)[]): Random {
  const next = sfc32(parts.join('\u001f'))
  const integer = (below: number) => Math.floor(next() * below)
  return {
    next,
    integer,
    chance: (probability) => next() < probability,
    pick: <T>(from: readonly T[]) => from[integer(from.length)]!,
    weighted: (weights) => {
      let left = next() * weights.reduce((sum, w) => sum + w, 0)
      for (let i = 0; i < weights.length; i++) {
        left -= weights[i]!
        if (left < 0) return i
      }
      return weights.length - 1
    },
    shuffled: <T>(list: readonly T[]) => {
      const out = [...list]
      for (let i = out.length - 1; i > 0; i--) {
        const j = integer(i + 1)
        const swapped = out[i]!
        out[i] = out[j]!
        out[j] = swapped
      }
      return out
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
  }
}

/** FNV-1a over UTF-16 units, four times with different offsets: the 128 bits that seed sfc32. */
function sfc32(name: string): () => number {
  const state = [0x811c9dc5, 0x9747b28c, 0x27d4eb2f, 0x165667b1].map((offset) => {
    let hash = offset
    for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    return hash ^ (hash >>> 15)
  })
  let [a, b, c, d] = state as [number, number, number, number]
  const next = () => {
    const sum = (a + b + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return (sum >>> 0) / 4294967296
  }
  for (let i = 0; i < 15; i++) next()
  return next
}
