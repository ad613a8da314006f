// Float32 values to the types of GGUF that hone writes. Q8_0 gives the bytes of ggml's reference: scale = largest
// magnitude / 127 in float32, values times its float32 inverse, rounded half away from zero; only then is the scale
// rounded to binary16. A value that a type cannot hold is a DataError, never an infinity.
import { DataError } from '#errors'
import { narrowed, toBfloat16, toHalf } from './half.ts'

/** Blocks of whole rows. `place`: the tensor and its file, for errors. */
export type Encode = (values: Float32Array, place: { file: string; field: string }) => Uint8Array

export const encodeF32: Encode = (values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength)

export const encodeF16: Encode = (values, place) => {
  const bits = narrowed(values, toHalf)
  // All ones in the exponent: an infinity or NaN.
  const wrong = bits.findIndex((b) => (b & 0x7c00) === 0x7c00)
  if (wrong >= 0) throw new DataError(`expected numbers within 65,504, got ${values[wrong]}; write BF16`, place)
  return new Uint8Array(bits.buffer)
}

export const encodeBF16: Encode = (values, place) => {
  const bits = narrowed(values, toBfloat16)
  const wrong = bits.findIndex((b) => (b & 0x7f80) === 0x7f80)
  if (wrong >= 0) throw new DataError(`expected finite numbers, got ${values[wrong]}`, place)
  return new Uint8Array(bits.buffer)
}

const VALUES = 32
const BYTES = 34

export const encodeQ8_0: Encode = (values, place) => {
  const blocks = new Uint8Array((values.length / VALUES) * BYTES)
  for (let from = 0, at = 0; from < values.length; from += VALUES, at += BYTES) {
    let largest = 0
    // Math.max keeps a NaN.
    for (let j = 0; j < VALUES; j++) largest = Math.max(largest, Math.abs(values[from + j]!))
    const scale = Math.fround(largest / 127)
    const bits = toHalf(scale)
    if ((bits & 0x7c00) === 0x7c00)
      throw new DataError(`expected numbers that Q8_0 can scale, got ${largest} in size; write BF16`, place)
    blocks[at] = bits & 255
    blocks[at + 1] = bits >> 8
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale)
    for (let j = 0; j < VALUES; j++) {
      const scaled = Math.fround(values[from + j]! * inverse)
      const size = Math.abs(scaled)
      const down = Math.floor(size)
      blocks[at + 2 + j] = Math.sign(scaled) * (size - down >= 0.5 ? down + 1 : down)
    }
  }
  return blocks
}
