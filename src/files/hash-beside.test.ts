import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256File, sha256Files } from './index.ts'

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-hash-'))
const [small, large] = [join(folder, 'small'), join(folder, 'large')]

beforeAll(() => {
  fs.writeFileSync(small, 'some text')
  const file = fs.openSync(large, 'w')
  for (let i = 0; i < 9; i++) fs.writeSync(file, Buffer.alloc(8 << 20, i))
  fs.closeSync(file)
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

test('large files are hashed beside, as one by one, in the order asked for', async () => {
  const expected = [sha256File(large), sha256File(small)]
  let turns = 0
  const timer = setInterval(() => turns++, 1)
  expect(await sha256Files([large, small])).toEqual(expected)
  clearInterval(timer)
  expect(turns, 'this thread went on meanwhile').toBeGreaterThan(0)
  expect(await sha256Files([small])).toEqual([expected[1]])
})

test('a file that cannot be read is a DataError that names it', async () => {
  const gone = join(folder, 'gone')
  for (const paths of [[gone], [large, gone]])
    await expect(sha256Files(paths)).rejects.toMatchObject({ name: 'DataError', place: { file: gone } })
})
