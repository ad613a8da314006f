// Every random number of this room: pure functions of a seed and a purpose, so that no draw depends on what was drawn before.
// sfc32 (Chris Doty-Humphrey's small fast counter generator, public domain) and Box-Muller; FNV-1a for purposes.

/** N(0, 1) draws of their own stream for (seed, purpose). */
export function normals(seed: number, purpose: string, count: number): Float32Array<ArrayBuffer> {
  const next = sfc32(seed, purpose)
  const out = new Float32Array(count)
  for (let i = 0; i < count; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()))
    const angle = 2 * Math.PI * next()
    out[i] = radius * Math.cos(angle)
    if (i + 1 < count) out[i + 1] = radius * Math.sin(angle)
  }
  return out
}

/** Seed of a sampled row: a 52-bit integer made from the request's seed and the sample's index. */
export function rowSeed(seed: number, index: number): number {
  const next = sfc32(seed, `row ${index}`)
  return Math.floor(next() * 2 ** 26) * 2 ** 26 + Math.floor(next() * 2 ** 26)
}

/** Uniform on [0, 1) with 32 bits. */
function sfc32(seed: number, purpose: string): () => number {
  let a = seed >>> 0
  let b = Math.floor(seed / 2 ** 32) >>> 0
  let c = fnv1a(purpose)
  let counter = 1
  const next = (): number => {
    const t = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + t
    return (t >>> 0) / 2 ** 32
  }
  for (let i = 0; i < 12; i++) next()
  return next
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
