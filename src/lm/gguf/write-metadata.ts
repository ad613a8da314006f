// GGUF's metadata in bytes, in the kinds that llama.cpp expects of a model: its readers are strict about them.
/** `bytes`: the number of its kind and the value. */
export type Entry = { key: string; bytes: Uint8Array }

export function text(key: string, value: string): Entry {
  return entry(key, 8, [string(value)])
}

export function flag(key: string, value: boolean): Entry {
  return entry(key, 7, [Uint8Array.of(value ? 1 : 0)])
}

export function uint32(key: string, value: number): Entry {
  return entry(key, 4, [word(value)])
}

export function float32(key: string, value: number): Entry {
  return entry(key, 6, [new Uint8Array(Float32Array.of(value).buffer)])
}

export function texts(key: string, values: readonly string[]): Entry {
  return entry(key, 9, [word(8), long(values.length), ...values.map(string)])
}

export function int32s(key: string, values: readonly number[]): Entry {
  return entry(key, 9, [word(5), long(values.length), new Uint8Array(Int32Array.from(values).buffer)])
}

/** UTF-8 with its length in front. */
export function string(value: string): Uint8Array {
  const bytes = Buffer.from(value)
  return Buffer.concat([long(bytes.length), bytes])
}

export function word(value: number): Uint8Array {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function long(value: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

/** `kind`: its number in the file, see metadata.ts. */
function entry(key: string, kind: number, value: Uint8Array[]): Entry {
  return { key, bytes: Buffer.concat([word(kind), ...value]) }
}
