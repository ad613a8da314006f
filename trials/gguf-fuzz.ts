// Hostile GGUF files, made by mutation: each must be imported exactly or refused with one DataError, and never cost more
// memory than twice its size. `npm run trials -- gguf-fuzz [COUNT] [SEED]`
import fs from 'node:fs'
import { join } from 'node:path'
import type { Generator } from '#stats'
import { exportGguf } from '../src/lm/gguf/export-gguf.ts'
import { importGguf } from '../src/lm/gguf/import-gguf.ts'
import { readGguf } from '../src/lm/gguf/read-gguf.ts'
import { tinyModel } from '../src/lm/gguf/tiny-model.test-data.ts'
import { readSafetensors } from '../src/lm/safetensors.ts'
import { type FuzzCounts, fuzzFiles, fuzzFromCommandLine } from './worlds/fuzz.ts'

/** Mutates, imports and judges `count` files; `wrong` says what should not have happened. */
export function fuzzGguf({ count, seed }: { count: number; seed: number }): FuzzCounts {
  return fuzzFiles({
    count,
    seed,
    name: 'mutated.gguf',
    prepare: (folder) => {
      const originals = makeOriginals(folder)
      return {
        make: (random) => mutate(random.pick(originals), random),
        judge: (file, bytes) => judge(file, { to: join(folder, 'imported'), size: bytes.length }),
      }
    },
  })
}

/** A file cut into its parts, so that a part can be changed and the rest stays right. */
type Parts = { preamble: Buffer; keys: Buffer[]; tensors: Buffer[]; data: Buffer }

function makeOriginals(folder: string): Parts[] {
  const model = join(folder, 'model')
  tinyModel(model)
  return (['F32', 'Q8_0'] as const).map((type) => {
    const to = join(folder, `${type}.gguf`)
    exportGguf({ folder: model, to, type })
    return cut(fs.readFileSync(to))
  })
}

/** What an import that succeeded must satisfy. Undefined: all is well. */
function judge(file: string, { to, size }: { to: string; size: number }): string | undefined {
  try {
    importGguf({ file, to })
    const { tensors, metadata } = readGguf(file)
    const { tensors: stored } = readSafetensors(join(to, 'model.safetensors'))
    for (const value of metadata.values())
      if (typeof value === 'object' && value.bytes.buffer.byteLength > 2 * size) return 'metadata is held too large'
    // Neither a vector nor a value matrix changes its order.
    const same = [
      ['output_norm.weight', 'model.norm.weight'],
      ['blk.1.ffn_down.weight', 'model.layers.1.mlp.down_proj.weight'],
    ] as const
    for (const [name, key] of same) {
      const expected = Buffer.from(tensors.get(name)!.values().buffer)
      if (!expected.equals(stored.get(key)!.bytes())) return `${name} has other values`
    }
    return undefined
  } finally {
    fs.rmSync(to, { recursive: true, force: true })
  }
}

const FIXED_BYTES = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]

/** Walks over a file that is right. */
function cut(bytes: Buffer): Parts {
  let at = 24
  const string = () => (at += 8 + Number(bytes.readBigUInt64LE(at)))
  const value = (kind: number) => (kind === 8 ? string() : (at += FIXED_BYTES[kind]!))
  const parts = (count: number, walk: () => void) =>
    Array.from({ length: count }, () => {
      const start = at
      walk()
      return bytes.subarray(start, at)
    })
  const keys = parts(Number(bytes.readBigUInt64LE(16)), () => {
    string()
    const kind = bytes.readUInt32LE(at)
    at += 4
    if (kind !== 9) return value(kind)
    const element = bytes.readUInt32LE(at)
    const count = Number(bytes.readBigUInt64LE(at + 4))
    at += 12
    for (let i = 0; i < count; i++) value(element)
  })
  const tensors = parts(Number(bytes.readBigUInt64LE(8)), () => {
    string()
    at += 4 + 8 * bytes.readUInt32LE(at) + 12
  })
  return { preamble: bytes.subarray(0, 8), keys, tensors, data: bytes.subarray(Math.ceil(at / 32) * 32) }
}

function assemble({ preamble, keys, tensors, data }: Parts): Buffer {
  const counts = Buffer.alloc(16)
  counts.writeBigUInt64LE(BigInt(tensors.length), 0)
  counts.writeBigUInt64LE(BigInt(keys.length), 8)
  const header = Buffer.concat([preamble, counts, ...keys, ...tensors])
  return Buffer.concat([header, Buffer.alloc(Math.ceil(header.length / 32) * 32 - header.length), data])
}

/** One to three mutations, most of them of a part's meaning: plain noise is refused too early to test much. */
function mutate(original: Parts, random: Generator): Buffer {
  let parts = original
  for (let n = random.int(3); n > 0; n--) parts = random.pick(OF_PARTS)(parts, random)
  const bytes = assemble(parts)
  return parts === original || random.int(3) === 0 ? random.pick(OF_BYTES)(bytes, random) : bytes
}

type OfParts = (parts: Parts, random: Generator) => Parts
type OfBytes = (bytes: Buffer, random: Generator) => Buffer

const HOSTILE = [0n, 1n, 2n, 3n, 9n, 31n, 255n, 2n ** 31n - 1n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]

const OF_PARTS: OfParts[] = [
  (parts, random) => ({ ...parts, keys: without(parts.keys, random) }),
  (parts, random) => ({ ...parts, tensors: without(parts.tensors, random) }),
  (parts, random) => ({ ...parts, keys: [...parts.keys, random.pick(parts.keys)] }),
  (parts, random) => ({ ...parts, tensors: [...parts.tensors, random.pick(parts.tensors)] }),
  (parts, random) => ({ ...parts, keys: changed(parts.keys, random, (key) => hostileAt(key, random)) }),
  (parts, random) => ({ ...parts, tensors: changed(parts.tensors, random, (tensor) => hostileAt(tensor, random)) }),
  // The end of a key is its value, the end of a tensor its type and offset.
  (parts, random) => ({ ...parts, keys: changed(parts.keys, random, (key) => hostileEnd(key, random)) }),
  (parts, random) => ({ ...parts, tensors: changed(parts.tensors, random, (tensor) => hostileEnd(tensor, random)) }),
  (parts, random) => ({ ...parts, keys: changed(parts.keys, random, (key) => otherKind(key, random)) }),
  (parts, random) => ({ ...parts, keys: changed(parts.keys, random, (key) => flipBit(key, random)) }),
  (parts, random) => ({ ...parts, tensors: changed(parts.tensors, random, (tensor) => flipBit(tensor, random)) }),
  (parts, random) => ({ ...parts, keys: parts.keys.toSorted(() => random.int(3) - 1) }),
]

const OF_BYTES: OfBytes[] = [
  flipBit,
  hostileAt,
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.int(64), random.int(256))]),
  // Data alone: any bits are numbers.
  (bytes, random) =>
    Buffer.concat([bytes.subarray(0, -64), Buffer.from(Array.from({ length: 64 }, () => random.int(256)))]),
]

function without(parts: Buffer[], random: Generator): Buffer[] {
  const gone = random.int(parts.length)
  return parts.filter((_, i) => i !== gone)
}

function changed(parts: Buffer[], random: Generator, change: (part: Buffer) => Buffer): Buffer[] {
  if (parts.length === 0) return parts
  const place = random.int(parts.length)
  return parts.with(place, change(parts[place]!))
}

function hostileAt(bytes: Buffer, random: Generator): Buffer {
  const width = random.int(2) === 0 ? 4 : 8
  if (bytes.length < width) return bytes
  return put(bytes, { at: random.int(Math.min(bytes.length, 4096) - width + 1), width, value: random.pick(HOSTILE) })
}

function hostileEnd(bytes: Buffer, random: Generator): Buffer {
  const at = bytes.length - random.pick([4, 8, 12, 16, 20])
  return at < 0 ? bytes : put(bytes, { at, width: 4, value: random.pick(HOSTILE) })
}

/** The kind stands behind the key. */
function otherKind(key: Buffer, random: Generator): Buffer {
  return put(key, { at: 8 + Number(key.readBigUInt64LE(0)), width: 4, value: BigInt(random.int(15)) })
}

function put(bytes: Buffer, { at, width, value }: { at: number; width: number; value: bigint }): Buffer {
  const copy = Buffer.from(bytes)
  if (at < 0 || at + width > bytes.length) return copy
  if (width === 4) copy.writeUInt32LE(Number(value & 0xffffffffn), at)
  else copy.writeBigUInt64LE(value, at)
  return copy
}

function flipBit(bytes: Buffer, random: Generator): Buffer {
  if (bytes.length === 0) return bytes
  const flipped = Buffer.from(bytes)
  const bit = random.int(bytes.length * 8)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

if (process.argv[1] === import.meta.filename) fuzzFromCommandLine(fuzzGguf, 20_000)
