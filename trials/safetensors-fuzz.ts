// Hostile safetensors files, made by mutation: each must be read exactly or refused with one DataError, and never cost
// more memory than twice its size. `npm run trials -- safetensors-fuzz [COUNT] [SEED]`
import type { Generator } from '#stats'
// Not through the room's face: reading files needs no native code.
import { encodeSafetensors, readSafetensors } from '../src/lm/safetensors.ts'
import { type FuzzCounts, fuzzFiles, fuzzFromCommandLine } from './worlds/fuzz.ts'

/** Mutates, reads and judges `count` files; `wrong` says what should not have happened. */
export function fuzzSafetensors({ count, seed }: { count: number; seed: number }): FuzzCounts {
  const make = (random: Generator) => mutate(random.pick(ORIGINALS), random)
  return fuzzFiles({ count, seed, name: 'model.safetensors', prepare: () => ({ make, judge }) })
}

const ORIGINALS: Buffer[] = [
  encode([
    { name: 'model.embed_tokens.weight', dtype: 'F32', shape: [4, 3], bytes: new Uint8Array(48).fill(1) },
    { name: 'model.norm.weight', dtype: 'BF16', shape: [3], bytes: new Uint8Array(6).fill(2) },
    { name: 'mask', dtype: 'BOOL', shape: [5], bytes: new Uint8Array(5).fill(1) },
    { name: 'empty', dtype: 'I64', shape: [0, 7], bytes: new Uint8Array(0) },
    { name: 'scalar', dtype: 'F64', shape: [], bytes: new Uint8Array(8).fill(3) },
  ]),
  encode([{ name: 'a', dtype: 'U8', shape: [16], bytes: new Uint8Array(16) }]),
  encode([]),
]

function encode(entries: Parameters<typeof encodeSafetensors>[0]): Buffer {
  return Buffer.concat([...(encodeSafetensors(entries, { format: 'pt', note: 'ä "quoted"' }) as Iterable<Uint8Array>)])
}

/** What a reading that succeeded must satisfy, seen by JSON.parse instead of our parser. Undefined: all is well. */
function judge(path: string, bytes: Buffer): string | undefined {
  const { tensors } = readSafetensors(path)
  const headerBytes = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + headerBytes)) as Record<string, { data_offsets: number[] }>
  const names = Object.keys(header).filter((name) => name !== '__metadata__')
  if (names.length !== tensors.size) return `${tensors.size} tensors of ${names.length}`
  let total = 0
  for (const name of names) {
    const [begin, end] = header[name]!.data_offsets
    const expected = bytes.subarray(8 + headerBytes + begin!, 8 + headerBytes + end!)
    const got = tensors.get(name)?.bytes()
    if (!got || !expected.equals(got) || got.buffer.byteLength !== got.byteLength) return `${name} has other bytes`
    total += got.byteLength
  }
  if (8 + headerBytes + total !== bytes.byteLength) return `${total} bytes of tensors leave some unread`
  return undefined
}

/** One to three mutations, most of them of the header's meaning: plain noise is refused too early to test much. */
function mutate(original: Buffer, random: Generator): Buffer {
  let bytes: Buffer = Buffer.from(original)
  for (let n = 1 + random.int(3); n > 0; n--) bytes = random.pick(MUTATIONS)(bytes, random)
  return bytes
}

type Mutation = (bytes: Buffer, random: Generator) => Buffer

const HOSTILE_VALUES = (
  '-1 -0 0 1 00 01 1.0 1e2 1e400 NaN 9007199254740991 9007199254740992 9223372036854775807 18446744073709551616 ' +
  '4294967296 null true "1" "" [] {} [[]] "F32" "F4" "BF16" "__proto__" [4294967296,4294967296] [0,9007199254740991]'
).split(' ')
const HOSTILE_MEMBERS = [
  '"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}',
  '"__proto__":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}',
  '"__metadata__":{"format":"pt"}',
  '"__metadata__":{"a":1}',
  '"__metadata__":null',
  '"__metadata__":{"__proto__":"x"}',
  '"hole":{"dtype":"U8","shape":[1],"data_offsets":[1000,1001]}',
  '"big":{"dtype":"F64","shape":[3037000500,3037000500,2],"data_offsets":[0,0]}',
  '"zero":{"dtype":"F32","shape":[0,9007199254740991],"data_offsets":[0,0]}',
  '"\\ud800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}',
  `"deep":${'['.repeat(2000)}`,
]

const MUTATIONS: Mutation[] = [
  flipBit,
  (bytes, random) => bytes.subarray(0, random.int(bytes.length + 1)),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.int(20), random.int(256))]),
  setLength,
  (bytes, random) => editHeader(bytes, (text) => replaceOne(text, /-?\d+/g, random.pick(HOSTILE_VALUES), random)),
  (bytes, random) =>
    editHeader(bytes, (text) => replaceOne(text, /\[[^[\]]*\]|\{[^{}]*\}/g, random.pick(HOSTILE_VALUES), random)),
  (bytes, random) => editHeader(bytes, (text) => replaceOne(text, /"[^"]*"/g, random.pick(HOSTILE_VALUES), random)),
  (bytes, random) =>
    editHeader(bytes, (text) => replaceOne(text, /"[A-Z]+\d*"/g, random.pick(['"F32"', '"U8"', '"F64"']), random)),
  (bytes, random) =>
    editHeader(bytes, (text) => replaceOne(text, /[{},:[\]" ]/g, random.pick(Array.from('{},:[]" \n\t\0')), random)),
  (bytes, random) => editHeader(bytes, (text) => text.replace(/\}\s*$/, `,${random.pick(HOSTILE_MEMBERS)}}`)),
  (bytes, random) => editHeader(bytes, (text) => text.replace('{', `{${random.pick(HOSTILE_MEMBERS)},`)),
  (bytes, random) => editHeader(bytes, (text) => text + random.pick([' ', '\n', '\0', '}', '\ufeff', 'x'])),
  (bytes, random) => editHeader(bytes, (text) => random.pick([' ', '\ufeff', '[']) + text),
]

function flipBit(bytes: Buffer, random: Generator): Buffer {
  if (bytes.length === 0) return bytes
  const flipped = Buffer.from(bytes)
  const bit = random.int(bytes.length * 8)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

function setLength(bytes: Buffer, random: Generator): Buffer {
  if (bytes.length < 8) return bytes
  const changed = Buffer.from(bytes)
  const lengths = [0n, 1n, 2n, BigInt(bytes.length), BigInt(bytes.length - 8), 100_000_001n, 2n ** 53n, 2n ** 64n - 1n]
  changed.writeBigUInt64LE(random.pick(lengths), 0)
  return changed
}

/** Edits the header's text and corrects its length, so that the edit and not the length is judged. */
function editHeader(bytes: Buffer, edit: (text: string) => string): Buffer {
  if (bytes.length < 8) return bytes
  const stated = bytes.readBigUInt64LE(0)
  const end = 8 + Number(stated < BigInt(bytes.length) ? stated : 0n)
  const header = Buffer.from(edit(bytes.toString('utf8', 8, end)))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return Buffer.concat([length, header, bytes.subarray(end)])
}

function replaceOne(text: string, pattern: RegExp, by: string, random: Generator): string {
  const found = [...text.matchAll(pattern)]
  if (found.length === 0) return text
  const { 0: match, index } = random.pick(found)
  return text.slice(0, index) + by + text.slice(index + match.length)
}

if (process.argv[1] === import.meta.filename) fuzzFromCommandLine(fuzzSafetensors, 100_000)
