// GGUF's blocks of 32 values (ggml's Q4_0, Q4_1, Q5_0, Q5_1, Q8_0) to float32. A block is a binary16 scale d, in the _1
// types a binary16 offset m, then whole numbers q: a value is d q, or d q + m. Products are exact in double precision
// and a sum of two is rounded once, to float32: the same bits as ggml's own float32 arithmetic.
import { fromHalf } from './half.ts'

/** Values of whole blocks; `into` has room for all of them. */
export type Decode = (blocks: Uint8Array, into: Float32Array) => void

const VALUES = 32
const HALF = VALUES / 2

/** d, then 16 bytes: the low four bits are value j, the high four value j + 16; 8 stands for zero. */
export const decodeQ4_0: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 18, to += VALUES) {
    const d = halfAt(blocks, at)
    for (let j = 0; j < HALF; j++) {
      const pair = blocks[at + 2 + j]!
      into[to + j] = d * ((pair & 15) - 8)
      into[to + j + HALF] = d * ((pair >> 4) - 8)
    }
  }
}

/** d, m, then pairs as in Q4_0 but counted from 0. */
export const decodeQ4_1: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 20, to += VALUES) {
    const d = halfAt(blocks, at)
    const m = halfAt(blocks, at + 2)
    for (let j = 0; j < HALF; j++) {
      const pair = blocks[at + 4 + j]!
      into[to + j] = d * (pair & 15) + m
      into[to + j + HALF] = d * (pair >> 4) + m
    }
  }
}

/** d, 32 fifth bits (bit j of value j), then pairs; 16 stands for zero. */
export const decodeQ5_0: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 22, to += VALUES) {
    const d = halfAt(blocks, at)
    const fifth = wordAt(blocks, at + 2)
    for (let j = 0; j < HALF; j++) {
      const pair = blocks[at + 6 + j]!
      into[to + j] = d * (((pair & 15) | (((fifth >>> j) & 1) << 4)) - 16)
      into[to + j + HALF] = d * (((pair >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) - 16)
    }
  }
}

/** d, m, fifth bits, then pairs, counted from 0. */
export const decodeQ5_1: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 24, to += VALUES) {
    const d = halfAt(blocks, at)
    const m = halfAt(blocks, at + 2)
    const fifth = wordAt(blocks, at + 4)
    for (let j = 0; j < HALF; j++) {
      const pair = blocks[at + 8 + j]!
      into[to + j] = d * ((pair & 15) | (((fifth >>> j) & 1) << 4)) + m
      into[to + j + HALF] = d * ((pair >> 4) | (((fifth >>> (j + HALF)) & 1) << 4)) + m
    }
  }
}

/** d, then 32 signed bytes. */
export const decodeQ8_0: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 34, to += VALUES) {
    const d = halfAt(blocks, at)
    for (let j = 0; j < VALUES; j++) into[to + j] = d * signed(blocks[at + 2 + j]!)
  }
}

/** The binary16 at a byte, little-endian. */
export function halfAt(bytes: Uint8Array, at: number): number {
  return fromHalf(bytes[at]! | (bytes[at + 1]! << 8))
}

/** A byte as a whole number from -128 to 127. */
export function signed(byte: number): number {
  return (byte << 24) >> 24
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}
