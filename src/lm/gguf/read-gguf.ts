// A GGUF file, version 2 or 3: magic, counts, metadata, the tensors' names and places, then their bytes at multiples of
// the alignment (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md). Checked whole before a byte of data is
// touched, each breach a DataError; tensors are read when asked for. As llama.cpp, tensors must follow each other in the
// order of the header. Left out: version 1, big-endian files, and models split over several files, each refused by name.
import fs from 'node:fs'
import { DataError } from '#errors'
import { type BlockType, BLOCK_TYPES, OTHER_TYPES } from './block-types.ts'
import { type HeaderBytes, headerBytes, openFile, readInto } from './header-bytes.ts'
import { type Metadata, readCount, readMetadata, readString, readWord } from './metadata.ts'

/** `shape`: row-major, as everywhere in hone; the file has it the other way round. */
export type GgufTensor = {
  type: BlockType
  shape: number[]
  /** Number of values. */
  size: number
  /** A fresh copy of its blocks, read from the file at each call. */
  bytes: () => Uint8Array
  /** Its values in float32, exact. */
  values: () => Float32Array
}
export type Gguf = { file: string; metadata: Metadata; tensors: Map<string, GgufTensor> }

const MAGIC = 0x46554747
const DEFAULT_ALIGNMENT = 32
/** A mixture of experts of the largest known models has fewer. */
const MOST_TENSORS = 100_000
/** A name's length, its dimensions' number, its type and its offset. */
const LEAST_TENSOR_BYTES = 24
const NAME_BYTES = 128
const MOST_DIMENSIONS = 4

/** Reads and checks all but the tensors' data. */
export function readGguf(file: string): Gguf {
  const fd = openFile(file)
  try {
    const size = fs.fstatSync(fd).size
    const header = headerBytes(fd, size, file)
    readVersion(header)
    const tensorCount = readCount(header, 'the number of tensors')
    const metadata = readMetadata(header, readCount(header, 'the number of keys'))
    const shards = metadata.get('split.count')
    if (shards !== undefined && shards !== 0 && shards !== 1)
      throw new DataError('is one of several files of a model; join them with llama-gguf-split --merge', {
        file,
        field: 'split.count',
      })
    const places = readPlaces(header, tensorCount)
    const alignment = alignmentOf(metadata, file)
    const dataStart = aligned(header.at, alignment)
    checkPlaces(places, { alignment, dataBytes: size - dataStart, file })
    const tensors = new Map<string, GgufTensor>()
    for (const place of places) tensors.set(place.name, tensorAt(file, dataStart + place.offset, place))
    return { file, metadata, tensors }
  } finally {
    fs.closeSync(fd)
  }
}

/** The next multiple of the alignment. */
export function aligned(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment
}

type Place = { name: string; shape: number[]; size: number; type: BlockType; bytes: number; offset: number }

function readVersion(header: HeaderBytes): void {
  const { file } = header
  const magic = readWord(header, 'the magic')
  if (magic !== MAGIC) throw new DataError('does not begin with GGUF; is this a GGUF file?', { file })
  const version = readWord(header, 'the version')
  if (version === 2 || version === 3) return
  const meaning = version % 0x10000 === 0 ? ' (a file of a big-endian machine)' : ''
  throw new DataError(`expected GGUF version 2 or 3, got ${version}${meaning}; convert the model anew`, { file })
}

function readPlaces(header: HeaderBytes, count: number): Place[] {
  const { file } = header
  if (count > MOST_TENSORS || count * LEAST_TENSOR_BYTES > header.left())
    throw new DataError(`expected at most ${MOST_TENSORS} tensors that fit the file, got ${count}`, { file })
  const names = new Set<string>()
  return Array.from({ length: count }, (_, i) => {
    const name = readString(header, { what: `the name of tensor ${i + 1}`, most: NAME_BYTES })
    const fail = (message: string) => new DataError(message, { file, field: name })
    if (names.has(name)) throw fail('expected each tensor once, got it again')
    names.add(name)
    const dimensions = readWord(header, name)
    if (dimensions < 1 || dimensions > MOST_DIMENSIONS)
      throw fail(`expected 1 to ${MOST_DIMENSIONS} dimensions, got ${dimensions}`)
    const shape = Array.from({ length: dimensions }, () => readCount(header, name)).reverse()
    const number = readWord(header, name)
    const type = BLOCK_TYPES.get(number)
    if (!type)
      throw fail(
        `expected ${[...BLOCK_TYPES.values()].map((t) => t.name).join(', ')}, got ${OTHER_TYPES.get(number) ?? `type ${number}`}`,
      )
    const offset = readCount(header, name)
    // Too large a dimension makes the size inexact, but then it is beyond any file.
    const size = shape.reduce((product, n) => product * n, 1)
    if (size === 0) throw fail(`expected no empty dimension, got [${shape.join(', ')}]`)
    if (shape.at(-1)! % type.values !== 0)
      throw fail(`${type.name} has rows of a multiple of ${type.values}, got ${shape.at(-1)}`)
    return { name, shape, size, type, bytes: (size / type.values) * type.bytes, offset }
  })
}

function alignmentOf(metadata: Metadata, file: string): number {
  const stated = metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT
  if (typeof stated === 'number' && Number.isInteger(Math.log2(stated)) && stated >= 1 && stated <= 2 ** 20)
    return stated
  throw new DataError('expected a power of two up to 1,048,576', { file, field: 'general.alignment' })
}

function checkPlaces(places: Place[], o: { alignment: number; dataBytes: number; file: string }): void {
  let next = 0
  for (const { name, shape, type, bytes, offset } of places) {
    const fail = (message: string) => new DataError(message, { file: o.file, field: name })
    if (offset !== next) throw fail(`expected offset ${next}, where the tensor before it ends, got ${offset}`)
    if (offset + bytes > o.dataBytes)
      throw fail(
        `${type.name} of shape [${shape.join(', ')}] ends at ${offset + bytes} of ${Math.max(0, o.dataBytes)} bytes; is the file cut off?`,
      )
    next = aligned(offset + bytes, o.alignment)
  }
}

function tensorAt(file: string, start: number, { shape, size, type, bytes: length }: Place): GgufTensor {
  const bytes = () => {
    const fd = openFile(file)
    try {
      const blocks = new Uint8Array(length)
      readInto(fd, blocks, { start, file })
      return blocks
    } finally {
      fs.closeSync(fd)
    }
  }
  const values = () => {
    const decoded = new Float32Array(size)
    type.decode(bytes(), decoded)
    return decoded
  }
  return { type, shape, size, bytes, values }
}
