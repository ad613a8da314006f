import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import { type Disk, writeDurable } from './disk.ts'
import { commitFolder, temporaryFolder, writeManifest, writeWholeFolder } from './folder.ts'
import { sha256 } from './hash.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-disk-'))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

/** A disk whose n-th call (from 0) fails; a write first puts half of its bytes down, as a full disk does. */
function failing(n: number, code: 'ENOSPC' | 'EIO'): { disk: Disk; calls: () => number } {
  let calls = 0
  const isDue = () => calls++ === n
  const failure = () => Object.assign(new Error(`${code}: injected`), { code })
  const disk: Disk = {
    ...fs,
    openSync(path, flags) {
      if (isDue()) throw failure()
      return fs.openSync(path, flags)
    },
    writeSync(fd, data, offset, length) {
      if (!isDue()) return fs.writeSync(fd, data, offset, Math.min(length, 5))
      fs.writeSync(fd, data, offset, Math.ceil(length / 2))
      throw failure()
    },
    fsyncSync(fd) {
      if (isDue()) throw failure()
      fs.fsyncSync(fd)
    },
    renameSync(from, to) {
      if (isDue()) throw failure()
      fs.renameSync(from, to)
    },
  }
  return { disk, calls: () => calls }
}

test('a write leaves its bytes, their hash, and no temporary', () => {
  const path = join(root, 'a.bin')
  const pieces = [Buffer.from('one'), Buffer.from('two')]
  expect(writeDurable(path, pieces)).toEqual({ bytes: 6, sha256: sha256('onetwo') })
  expect(fs.readFileSync(path, 'utf8')).toBe('onetwo')
  expect(fs.readdirSync(root)).toEqual(['a.bin'])
})

test.each([
  'ENOSPC',
  'EIO',
] as const)('whichever call fails with %s, the file is the old or the new one, whole', (code) => {
  const path = join(root, 'a.json')
  const old = 'the old content'
  const renewed = 'new content, somewhat longer'
  const { disk: counting, calls } = failing(-1, code)
  writeDurable(path, renewed, counting)
  expect(calls()).toBeGreaterThan(8)
  for (let n = 0; n < calls(); n++) {
    fs.writeFileSync(path, old)
    expect(() => writeDurable(path, renewed, failing(n, code).disk)).toThrow(DataError)
    // The last two calls (open and sync of the folder) come after the rename.
    expect(fs.readFileSync(path, 'utf8'), `call ${n}`).toBe(n < calls() - 2 ? old : renewed)
    expect(fs.readdirSync(root)).toEqual(['a.json'])
  }
})

test('large content is written in pieces, to the same bytes and hash', () => {
  const path = join(root, 'large.bin')
  const content = Buffer.alloc((9 << 20) + 3, 'abcdefg')
  const lengths: number[] = []
  const disk: Disk = {
    ...fs,
    writeSync: (fd, data, offset, length) => (lengths.push(length), fs.writeSync(fd, data, offset, length)),
  }
  expect(writeDurable(path, content, disk)).toEqual({ bytes: content.byteLength, sha256: sha256(content) })
  expect(Math.max(...lengths)).toBeLessThan(1 << 30)
  expect(lengths.length).toBeGreaterThan(1)
  expect(fs.readFileSync(path).equals(content)).toBe(true)
})

test('the error of a full disk says so, and where', () => {
  const path = join(root, 'a.json')
  expect(() => writeDurable(path, 'x', failing(1, 'ENOSPC').disk)).toThrow(
    `${path}: could not be written: the disk is full`,
  )
  expect(() => writeDurable(join(root, 'none', 'a'), 'x')).toThrow('its folder does not exist')
})

test.each(['ENOSPC', 'EIO'] as const)('whichever call fails with %s, a folder appears whole or not at all', (code) => {
  const final = join(root, 'checkpoint')
  const fill = (disk: Disk) =>
    writeWholeFolder(
      final,
      (folder) => {
        fs.mkdirSync(join(folder, 'inner'))
        fs.writeFileSync(join(folder, 'inner', 'weights'), 'w'.repeat(40))
        writeManifest(folder, { step: 3 }, { disk })
      },
      disk,
    )
  const { disk: counting, calls } = failing(-1, code)
  fill(counting)
  fs.rmSync(final, { recursive: true })
  for (let n = 0; n < calls(); n++) {
    expect(() => fill(failing(n, code).disk), `call ${n}`).toThrow(DataError)
    expect(fs.readdirSync(root), `call ${n}`).toEqual([])
  }
})

test('a folder in use is never replaced, and leftovers of dead processes go', () => {
  const final = join(root, 'run')
  const leftover = join(root, '.run.writing-999999999-1')
  fs.mkdirSync(leftover)
  const temporary = temporaryFolder(final)
  expect(fs.existsSync(leftover)).toBe(false)
  fs.writeFileSync(join(temporary, 'a'), 'a')
  commitFolder(temporary, final)
  expect(() => temporaryFolder(final)).toThrow('already exists and is not empty')
  fs.writeFileSync(join(root, 'file'), '')
  expect(() => temporaryFolder(join(root, 'file'))).toThrow('expected a new folder')
})
