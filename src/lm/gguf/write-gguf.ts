// A GGUF file, version 3, as a stream of pieces: header, then each tensor at a multiple of the alignment.
import type { Content } from '#files'
import { type BlockType, numberOfType } from './block-types.ts'
import { aligned } from './read-gguf.ts'
import { type Entry, long, string, word } from './write-metadata.ts'

/** `bytes` is called when its turn comes, so that not all tensors lie in memory at once. Shape row-major. */
export type GgufEntry = { name: string; type: BlockType; shape: readonly number[]; bytes: () => Uint8Array }

const ALIGNMENT = 32

/** The file. Tensors in the order given, which llama.cpp keeps. */
export function* encodeGguf(
  metadata: readonly Entry[],
  tensors: readonly GgufEntry[],
): Generator<Uint8Array> & Content {
  const places: Uint8Array[] = []
  let offset = 0
  for (const { name, type, shape } of tensors) {
    const dimensions = [...shape].reverse()
    places.push(string(name), word(shape.length), ...dimensions.map(long), word(numberOfType(type)), long(offset))
    offset = aligned(offset + lengthOf(type, shape), ALIGNMENT)
  }
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    word(3),
    long(tensors.length),
    long(metadata.length),
    ...metadata.flatMap(({ key, bytes }) => [string(key), bytes]),
    ...places,
  ])
  yield header
  yield padding(header.length)
  for (const { type, shape, bytes } of tensors) {
    yield bytes()
    yield padding(lengthOf(type, shape))
  }
}

function lengthOf(type: BlockType, shape: readonly number[]): number {
  return (shape.reduce((product, n) => product * n, 1) / type.values) * type.bytes
}

function padding(length: number): Uint8Array {
  return new Uint8Array(aligned(length, ALIGNMENT) - length)
}
