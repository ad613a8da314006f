// Bytes of a data file, decompressed as they stream, and what they are. Content decides the format and the name only
// breaks ties, because extensions lie. Parquet is told here and read from the
// file itself. Left out: zstd of text (refused by its magic), any text but UTF-8.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type Gunzip, createGunzip } from 'node:zlib'
import { DataError } from '#errors'
import { MOST_BYTES, MOST_RATIO, RATIO_FROM_BYTES } from './limits.ts'

export type TextFormat = 'jsonl' | 'json' | 'csv'
export type Format = TextFormat | 'parquet'
export type Opened = { format: 'parquet' } | { format: TextFormat; chunks: AsyncIterable<Buffer> }

const CHUNK_BYTES = 256 * 1024
/** Enough of the beginning to tell formats apart. */
const HEAD_BYTES = 64 * 1024
const PARQUET = 'PAR1'
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf])

const REFUSED: { magic: number[]; name: string; instead: string }[] = [
  { magic: [0x1f, 0x8b], name: 'gzip inside gzip', instead: 'decompress it once' },
  { magic: [0x50, 0x41, 0x52, 0x31], name: 'Parquet inside gzip', instead: 'decompress it' },
  { magic: [0x50, 0x41, 0x52, 0x45], name: 'encrypted Parquet', instead: 'write it without encryption' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: 'zstd', instead: 'decompress it with `zstd -d`, or use gzip' },
  { magic: [0x50, 0x4b, 0x03, 0x04], name: 'a zip archive or spreadsheet', instead: 'export it as CSV' },
  { magic: [0x42, 0x5a, 0x68], name: 'bzip2', instead: 'decompress it, or use gzip' },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a], name: 'xz', instead: 'decompress it, or use gzip' },
  { magic: [0xff, 0xfe], name: 'UTF-16', instead: 'save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)' },
  { magic: [0xfe, 0xff], name: 'UTF-16', instead: 'save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)' },
]

/** Opens a JSONL, JSON or CSV file, gzipped or not, or tells that it is Parquet. The chunks are UTF-8 bytes without byte order mark; of Parquet there are none. */
export async function openData(file: string): Promise<Opened> {
  const size = await sizeOf(file)
  const bytes = readChunks(file)
  const compressed = await takeHead(bytes, PARQUET.length)
  if (compressed.head.toString('latin1', 0, PARQUET.length) === PARQUET) {
    await bytes.return(undefined)
    return { format: 'parquet' }
  }
  const isGzip = compressed.head[0] === 0x1f && compressed.head[1] === 0x8b
  const source = isGzip ? gunzip(file, compressed.all, size) : compressed.all
  const text = await takeHead(source[Symbol.asyncIterator](), HEAD_BYTES)
  const head = text.head.subarray(0, 3).equals(UTF8_BOM) ? text.head.subarray(3) : text.head
  refuseOthers(file, head)
  return { format: formatOf(file, head), chunks: bounded(file, withoutBom(text.all)) }
}

/** Bytes of a file on disk. Throws DataError when there is none, or a folder. */
export async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new DataError('expected a file that can be read, found none: check the path', { file }, { cause })
  })
  if (found.isDirectory()) throw new DataError('expected a file, got a folder: name a file inside it', { file })
  return found.size
}

async function* readChunks(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: CHUNK_BYTES }) as AsyncIterable<Buffer>
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new DataError(`could not be read (${code}): check the file and its permissions`, { file }, { cause })
  }
}

type Head = { head: Buffer; all: AsyncGenerator<Buffer> }

/** Looks at the first `bytes` of a stream without losing them. */
async function takeHead(source: AsyncIterator<Buffer>, bytes: number): Promise<Head> {
  const taken: Buffer[] = []
  let length = 0
  while (length < bytes) {
    const next = await source.next()
    if (next.done) break
    taken.push(next.value)
    length += next.value.length
  }
  const head = Buffer.concat(taken)
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length) yield head
      for (;;) {
        const next = await source.next()
        if (next.done) return
        yield next.value
      }
    } finally {
      await source.return?.()
    }
  }
  return { head, all: all() }
}

async function* gunzip(file: string, compressed: AsyncIterable<Buffer>, size: number): AsyncGenerator<Buffer> {
  const inflate = createGunzip({ chunkSize: CHUNK_BYTES })
  const fed = feed(compressed, inflate)
  let out = 0
  try {
    for await (const chunk of inflate as AsyncIterable<Buffer>) {
      out += chunk.length
      // bytesWritten counts what was handed over, so a small file is judged whole and a large one as it goes.
      if (out > RATIO_FROM_BYTES && out > MOST_RATIO * Math.max(inflate.bytesWritten, 1))
        throw new DataError(
          `expected gzip that grows at most ${MOST_RATIO} times, got more (${Math.round(out / 2 ** 20)} MiB from ${inflate.bytesWritten} bytes): decompress it yourself if you trust it`,
          { file },
        )
      yield chunk
    }
    await fed
  } catch (cause) {
    if (cause instanceof DataError) throw cause
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'Z_BUF_ERROR')
      throw new DataError(
        `expected whole gzip, got a truncated file of ${size} bytes: copy it again`,
        { file },
        { cause },
      )
    if (code?.startsWith('Z_'))
      throw new DataError('expected sound gzip, got damaged data: copy it again', { file }, { cause })
    throw cause
  } finally {
    inflate.destroy()
  }
}

async function feed(from: AsyncIterable<Buffer>, to: Gunzip): Promise<void> {
  try {
    for await (const chunk of from) {
      if (to.destroyed) return
      if (!to.write(chunk)) await new Promise<void>((resume) => void to.once('drain', resume).once('close', resume))
    }
    to.end()
  } catch (error) {
    to.destroy(error as Error)
  }
}

async function* withoutBom(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let isFirst = true
  for await (const chunk of chunks) {
    yield isFirst && chunk.subarray(0, 3).equals(UTF8_BOM) ? chunk.subarray(3) : chunk
    isFirst = false
  }
}

async function* bounded(file: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    if (bytes > MOST_BYTES)
      throw new DataError(`expected at most ${MOST_BYTES / 2 ** 30} GiB of text, got more: split the file`, { file })
    yield chunk
  }
}

function refuseOthers(file: string, head: Buffer): void {
  for (const { magic, name, instead } of REFUSED) {
    if (magic.every((byte, i) => head[i] === byte))
      throw new DataError(`expected JSONL, JSON or CSV, plain or gzip, or Parquet, got ${name}: ${instead}`, { file })
  }
  // UTF-16 without its mark: every other byte of ASCII text is 0.
  if (
    head.length >= 4 &&
    (head[0] === 0) !== (head[1] === 0) &&
    (head[0] === 0) === (head[2] === 0) &&
    (head[1] === 0) === (head[3] === 0)
  )
    throw new DataError('expected UTF-8, got what looks like UTF-16: save it as UTF-8 (`iconv -f UTF-16 -t UTF-8`)', {
      file,
    })
}

function formatOf(file: string, head: Buffer): TextFormat {
  const text = head.toString('utf8').trimStart()
  const name = file.toLowerCase().replace(/\.gz$/, '')
  if (text === '') {
    const got = head.length < HEAD_BYTES ? 'an empty file' : `nothing but blanks in the first ${HEAD_BYTES / 1024} KiB`
    throw new DataError(`expected at least one row, got ${got}`, { file })
  }
  if (name.endsWith('.csv')) return /^(\{\s*"|\[\s*\{)/.test(text) ? jsonOrLines(text, name) : 'csv'
  if (text.startsWith('{') || text.startsWith('[')) return jsonOrLines(text, name)
  if (/\.(jsonl|json|ndjson)$/.test(name)) return 'jsonl'
  throw new DataError(
    'expected JSONL, JSON, CSV or Parquet, got none of them: name a comma-separated file with a header .csv',
    { file },
  )
}

/** An array is JSON; an object is a line of JSONL, unless a .json file wraps its rows in it or goes on after its first line. */
function jsonOrLines(text: string, name: string): TextFormat {
  if (text.startsWith('[')) return 'json'
  if (!name.endsWith('.json')) return 'jsonl'
  try {
    const first = JSON.parse(text.split('\n', 1)[0]!) as { data?: unknown }
    return Array.isArray(first.data) ? 'json' : 'jsonl'
  } catch {
    return 'json'
  }
}
