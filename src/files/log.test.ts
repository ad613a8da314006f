import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openLog } from './log.ts'

let path: string
beforeEach(() => {
  path = join(fs.mkdtempSync(join(tmpdir(), 'hone-log-')), 'metrics.jsonl')
})
afterEach(() => fs.rmSync(join(path, '..'), { recursive: true, force: true }))

test('a resumed log, cut back to its checkpoint, ends as the uninterrupted one', () => {
  const write = (from: number, to: number, cutTo?: number) => {
    const log = openLog(path, cutTo === undefined ? {} : { cutTo })
    for (let step = from; step < to; step++) log.append({ step, loss: 1 / (step + 1), text: 'ä\n' })
    log.sync()
    const bytes = log.bytes()
    log.close()
    return bytes
  }
  write(0, 10)
  const whole = fs.readFileSync(path)
  fs.rmSync(path)
  const checkpoint = write(0, 4)
  expect(checkpoint).toBe(fs.statSync(path).size)
  write(4, 7)
  fs.appendFileSync(path, '{"step":7,"los') // killed in the middle of a line
  write(4, 10, checkpoint)
  expect(fs.readFileSync(path)).toEqual(whole)
})

test('a torn last line goes, however long; whole lines stay', () => {
  for (const tail of ['', 'x', `"${'y'.repeat(200_000)}`]) {
    fs.writeFileSync(path, `{"a":1}\n{"b":2}\n${tail}`)
    openLog(path).close()
    expect(fs.readFileSync(path, 'utf8')).toBe('{"a":1}\n{"b":2}\n')
  }
  fs.writeFileSync(path, 'z'.repeat(100_000))
  openLog(path).close()
  expect(fs.statSync(path).size).toBe(0)
})

test('a log shorter than its checkpoint says is refused', () => {
  fs.writeFileSync(path, '{"a":1}\n')
  expect(() => openLog(path, { cutTo: 100 })).toThrow('expected at least 100 bytes, got 8')
})

test('an append that fails leaves whole lines only', () => {
  let writes = 0
  const full = {
    ...fs,
    writeSync(fd: number, data: Uint8Array, offset: number, length: number) {
      const done = fs.writeSync(fd, data, offset, Math.min(length, 6))
      if (++writes === 4) throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
      return done
    },
  }
  const log = openLog(path, { disk: full })
  log.append({ a: 1 })
  expect(() => log.append({ b: 'long enough for more writes' })).toThrow('the disk is full')
  expect(fs.readFileSync(path, 'utf8')).toBe('{"a":1}\n')
  log.append({ c: 3 })
  log.close()
  expect(fs.readFileSync(path, 'utf8')).toBe('{"a":1}\n{"c":3}\n')
})
