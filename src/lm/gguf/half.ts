// 16-bit floats as bits: IEEE binary16 and bfloat16, to float32 exactly and back rounded to nearest, ties to even. In
// plain arithmetic, because a block's scale is converted one at a time and libtorch's call would cost more than it does.

const scratch = new Float32Array(1)
const scratchBits = new Uint32Array(scratch.buffer)

/** Exact: every binary16 is a float32. */
export function fromHalf(bits: number): number {
  return halves()[bits & 0xffff]!
}

/** Exact: bfloat16 is the upper half of a float32. */
export function fromBfloat16(bits: number): number {
  scratchBits[0] = bits << 16
  return scratch[0]!
}

/** Beyond 65,519.99: an infinity. NaN stays NaN. */
export function toHalf(value: number): number {
  scratch[0] = value
  const bits = scratchBits[0]!
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  if (magnitude > 0x7f800000) return sign | 0x7e00
  // 65,520, half way between the largest binary16 and the next power of two.
  if (magnitude >= 0x477ff000) return sign | 0x7c00
  if (magnitude >= 0x38800000) return sign | (nearest(magnitude, 13) - (112 << 10))
  // Below 2^-14 a binary16 is a multiple of 2^-24: the mantissa moves right as the exponent falls. 0 is among them.
  const shift = 126 - (magnitude >>> 23)
  return shift > 24 ? sign : sign | nearest((magnitude & 0x7fffff) | 0x800000, shift)
}

/** Beyond bfloat16's largest: an infinity. NaN stays NaN. */
export function toBfloat16(value: number): number {
  scratch[0] = value
  const bits = scratchBits[0]!
  return (bits & 0x7fffffff) > 0x7f800000 ? (bits >>> 16) | 0x40 : nearest(bits, 16)
}

/** `values` as bits, each by `to`. */
export function narrowed(values: Float32Array, to: (value: number) => number): Uint16Array {
  const bits = new Uint16Array(values.length)
  for (let i = 0; i < values.length; i++) bits[i] = to(values[i]!)
  return bits
}

/** `bits` without its lowest `shift`, rounded to nearest, ties to even: a little less than half is added, half if the result would be odd. */
function nearest(bits: number, shift: number): number {
  return (bits + (2 ** (shift - 1) - 1) + ((bits >>> shift) & 1)) >>> shift
}

let table: Float32Array | undefined
/** All 65,536, made once: 256 KB. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 0x10000 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >>> 10) & 0x1f
    const mantissa = bits & 0x3ff
    if (exponent === 0x1f) return mantissa ? Number.NaN : sign * Infinity
    return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25))
  })
  return table
}
