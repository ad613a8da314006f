// GGUF's blocks of 256 values (ggml's K-quants, Q2_K to Q6_K and Q8_K) to float32. A block has one or two binary16
// scales for the whole and a small whole-number scale for each 16 or 32 values; a value is d s q, or d s q - dmin m.
// Every product fits 24 bits, so double precision and one rounding give the bits of ggml's float32 arithmetic.
import { type Decode, halfAt, signed } from './decode-blocks.ts'

const VALUES = 256

/** 16 scale bytes (low four bits s, high four m), 64 bytes of two-bit q, d, dmin. A scale serves 16 values. */
export const decodeQ2_K: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 84, to += VALUES) {
    const d = halfAt(blocks, at + 80)
    const dmin = halfAt(blocks, at + 82)
    for (let i = 0; i < VALUES; i++) {
      const scale = blocks[at + (i >> 4)]!
      const q = (blocks[at + 16 + byteOf2(i)]! >> shiftOf2(i)) & 3
      into[to + i] = d * (scale & 15) * q - dmin * (scale >> 4)
    }
  }
}

/** 32 bytes of third bits (set: nothing to take off), 64 bytes of two low bits, 12 bytes of sixteen 6-bit scales, d. */
export const decodeQ3_K: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 110, to += VALUES) {
    const d = halfAt(blocks, at + 108)
    for (let i = 0; i < VALUES; i++) {
      const s = i >> 4
      const low = s < 8 ? blocks[at + 96 + s]! & 15 : blocks[at + 96 + s - 8]! >> 4
      const high = (blocks[at + 104 + (s & 3)]! >> (2 * (s >> 2))) & 3
      const q = (blocks[at + 32 + byteOf2(i)]! >> shiftOf2(i)) & 3
      const isWhole = (blocks[at + (i & 31)]! >> (i >> 5)) & 1
      into[to + i] = d * ((low | (high << 4)) - 32) * (isWhole ? q : q - 4)
    }
  }
}

/** d, dmin, 12 bytes of eight 6-bit scales and offsets, 128 bytes of four-bit q. A scale serves 32 values. */
export const decodeQ4_K: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 144, to += VALUES)
    for (let s = 0; s < 8; s++) {
      const { scale, offset } = scaleOf(blocks, at, s)
      for (let j = 0; j < 32; j++) into[to + 32 * s + j] = scale * fourBits(blocks, at + 16, s, j) - offset
    }
}

/** As Q4_K, with 32 bytes of fifth bits before q. */
export const decodeQ5_K: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 176, to += VALUES)
    for (let s = 0; s < 8; s++) {
      const { scale, offset } = scaleOf(blocks, at, s)
      for (let j = 0; j < 32; j++) {
        const fifth = (blocks[at + 16 + j]! >> s) & 1
        into[to + 32 * s + j] = scale * (fourBits(blocks, at + 48, s, j) | (fifth << 4)) - offset
      }
    }
}

/** 128 bytes of four low bits, 64 bytes of two high bits, 16 signed scales, d; 32 stands for zero. A scale serves 16 values. */
export const decodeQ6_K: Decode = (blocks, into) => {
  for (let at = 0, to = 0; at < blocks.length; at += 210, to += VALUES) {
    const d = halfAt(blocks, at + 208)
    for (let i = 0; i < VALUES; i++) {
      const low = (blocks[at + 64 * (i >> 7) + (i & 63)]! >> (4 * ((i >> 6) & 1))) & 15
      const high = (blocks[at + 128 + byteOf2(i)]! >> shiftOf2(i)) & 3
      into[to + i] = d * signed(blocks[at + 192 + (i >> 4)]!) * ((low | (high << 4)) - 32)
    }
  }
}

/** A float32 d, 256 signed bytes, and sums that only ggml's products use. */
export const decodeQ8_K: Decode = (blocks, into) => {
  const view = new DataView(blocks.buffer, blocks.byteOffset, blocks.byteLength)
  for (let at = 0, to = 0; at < blocks.length; at += 292, to += VALUES) {
    const d = view.getFloat32(at, true)
    for (let i = 0; i < VALUES; i++) into[to + i] = d * signed(blocks[at + 4 + i]!)
  }
}

/** Where value i's two bits lie among 64 bytes: each 32 bytes hold 128 values, in four layers of 32. */
function byteOf2(i: number): number {
  return 32 * (i >> 7) + (i & 31)
}

function shiftOf2(i: number): number {
  return 2 * ((i >> 5) & 3)
}

/** Value j of sub-block s: two sub-blocks share 32 bytes, low four bits first. */
function fourBits(blocks: Uint8Array, start: number, s: number, j: number): number {
  return (blocks[start + 32 * (s >> 1) + j]! >> (4 * (s & 1))) & 15
}

/** Sub-blocks 0 to 3: six bits of bytes s and s + 4. Sub-blocks 4 to 7: four bits of byte s + 4, and the two that those left. */
function scaleOf(blocks: Uint8Array, at: number, s: number): { scale: number; offset: number } {
  const packed = at + 4
  const [scale, offset] =
    s < 4
      ? [blocks[packed + s]! & 63, blocks[packed + s + 4]! & 63]
      : [
          (blocks[packed + s + 4]! & 15) | ((blocks[packed + s - 4]! >> 6) << 4),
          (blocks[packed + s + 4]! >> 4) | ((blocks[packed + s]! >> 6) << 4),
        ]
  return { scale: halfAt(blocks, at) * scale, offset: halfAt(blocks, at + 2) * offset }
}
