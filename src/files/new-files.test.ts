import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Disk } from './disk.ts'
import { writeManifest, verifyManifest, writeWholeFolder } from './folder.ts'
import { followWriting, LEAST_BYTES } from './hash-beside.ts'
import { sha256, sha256File } from './hash.ts'
import { writeNewFiles } from './new-files.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-new-files-'))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

const PIECES = 7
const PIECE = Math.ceil(LEAST_BYTES / (PIECES - 1)) + 3

/** Just large enough to be hashed beside, in pieces that are made when their turn comes. */
function large(first: number) {
  return {
    byteLength: PIECES * PIECE,
    *[Symbol.iterator]() {
      for (let i = 0; i < PIECES; i++) yield Buffer.alloc(PIECE, first + i)
    },
  }
}

/** A disk that says what is asked of it, and whose n-th call fails. */
function watched(n = -1): { disk: Disk; calls: string[] } {
  const calls: string[] = []
  const watch =
    <A extends unknown[], R>(name: string, call: (...given: A) => R) =>
    (...given: A): R => {
      calls.push(name)
      if (calls.length - 1 === n) throw Object.assign(new Error('injected'), { code: 'EIO' })
      return call(...given)
    }
  const disk: Disk = {
    ...fs,
    openSync: watch('open', fs.openSync),
    writeSync: watch('write', (fd: number, data: Uint8Array, offset: number, length: number) =>
      fs.writeSync(fd, data, offset, length),
    ),
    fsyncSync: watch('fsync', fs.fsyncSync),
  }
  return { disk, calls }
}

test('large files beside small ones: bytes, hashes and order of what was given', () => {
  const files = {
    'moments.bin': large(1),
    'config.json': '{}',
    'a.bin': large(40),
    other: [Buffer.from('unknown length')],
  }
  const { disk, calls } = watched()
  const written = writeNewFiles(root, files, disk)
  expect(written.map(({ path, bytes }) => [path, bytes])).toEqual([
    ['a.bin', PIECES * PIECE],
    ['config.json', 2],
    ['moments.bin', PIECES * PIECE],
    ['other', 14],
  ])
  for (const { path, sha256: hash } of written) expect(hash, path).toBe(sha256File(join(root, path)))
  expect(written[0]!.sha256).toBe(sha256(Buffer.concat([...large(40)])))
  expect(
    calls.filter((name) => name === 'fsync'),
    'one for each file',
  ).toHaveLength(4)
  expect(calls.slice(-2), 'large ones are synced when all are written').toEqual(['fsync', 'fsync'])
})

test('whichever call fails, the error names the file and the folder does not appear', () => {
  const final = join(root, 'checkpoint')
  const save = (disk: Disk) =>
    writeWholeFolder(final, (folder) => {
      const files = writeNewFiles(folder, { weights: large(1) }, disk)
      writeManifest(folder, {}, { known: new Map(files.map((file) => [file.path, file.sha256])) })
    })
  const { disk, calls } = watched()
  save(disk)
  verifyManifest(final)
  fs.rmSync(final, { recursive: true })
  for (const n of [0, 1, Math.floor(calls.length / 2), calls.length - 1]) {
    expect(() => save(watched(n).disk), `call ${n}, ${calls[n]}`).toThrow(/weights: could not be written.*EIO/)
    expect(fs.readdirSync(root)).toEqual([])
  }
})

test('where the thread beside fails, hashes are taken here', () => {
  const path = join(root, 'late')
  const follower = followWriting([path])
  follower.wrote(0, 4)
  follower.ended(0)
  expect(() => follower.hashes()).toThrow(DataError)
  fs.writeFileSync(path, 'text')
  expect(follower.hashes()).toEqual([sha256('text')])
  follower.stop()
})
