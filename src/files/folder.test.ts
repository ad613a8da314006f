import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import { MANIFEST, readManifest, verifyManifest, writeManifest } from './folder.ts'

let root: string
beforeEach(() => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-folder-'))
  fs.mkdirSync(join(root, 'optimizer'))
  fs.writeFileSync(join(root, 'weights.bin'), Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * 7) % 251)))
  fs.writeFileSync(join(root, 'optimizer', 'moments.bin'), 'm'.repeat(500))
})
afterEach(() => fs.rmSync(root, { recursive: true, force: true }))

test('a manifest names every file and what its writer says', () => {
  writeManifest(root, { kind: 'checkpoint', parents: ['abc'] })
  const manifest = verifyManifest(root)
  expect(manifest.fields).toEqual({ kind: 'checkpoint', parents: ['abc'] })
  expect(manifest.files.map((f) => [f.path, f.bytes])).toEqual([
    ['optimizer/moments.bin', 500],
    ['weights.bin', 3000],
  ])
})

test('any flipped bit, of a file or of the manifest, is found and the file is named', () => {
  writeManifest(root, { step: 12, note: 'ä' })
  const files = ['weights.bin', join('optimizer', 'moments.bin'), MANIFEST]
  let seed = 1
  for (let i = 0; i < 400; i++) {
    seed = (seed * 48271) % 2147483647
    const file = join(root, files[i % files.length]!)
    const bit = seed % (fs.statSync(file).size * 8)
    flip(file, bit)
    expect(() => verifyManifest(root), `bit ${bit} of ${file}`).toThrow(file)
    flip(file, bit)
  }
  verifyManifest(root)
})

test('missing, cut, unnamed files and links are refused by name', () => {
  writeManifest(root)
  const weights = join(root, 'weights.bin')
  fs.writeFileSync(join(root, 'stray'), '')
  expect(() => verifyManifest(root)).toThrow('stray: is not named')
  fs.rmSync(join(root, 'stray'))
  fs.truncateSync(weights, 10)
  expect(() => verifyManifest(root)).toThrow('weights.bin: expected 3000 bytes, got 10')
  fs.rmSync(weights)
  expect(() => verifyManifest(root)).toThrow('weights.bin: is named by manifest.json but missing')
  fs.symlinkSync('/etc/hostname', weights)
  expect(() => verifyManifest(root)).toThrow('weights.bin: is not a plain file')
})

test('a manifest that leaves its folder, or is none, is a DataError', () => {
  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '{"fields":{},"files":[{"path":"../x","bytes":0,"sha256":""}],"sha256":""}',
  ]) {
    fs.writeFileSync(join(root, MANIFEST), text)
    expect(() => readManifest(root), text).toThrow(DataError)
  }
})

function flip(file: string, bit: number): void {
  const fd = fs.openSync(file, 'r+')
  const byte = Buffer.alloc(1)
  fs.readSync(fd, byte, 0, 1, bit >> 3)
  byte[0]! ^= 1 << (bit & 7)
  fs.writeSync(fd, byte, 0, 1, bit >> 3)
  fs.closeSync(fd)
}
