// Each thread has a table of its own, and a worker may be ended in the middle of a native call. Workers here are plain
// JavaScript on the bare addon: a worker does not inherit the loader of TypeScript.
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentBuild } from './addon.ts'
import { forbidLeaks, liveTensors, ones, toFloat32 } from './index.ts'

forbidLeaks({ beforeEach, afterEach })

const PREPARE = `
  const { parentPort, workerData } = require('node:worker_threads')
  const addon = require(workerData.file)
  addon.start([['aten::mm', ''], ['aten::add', 'Tensor'], ['aten::ones', '']], Error)
  const ones = (...shape) => addon.call(2, shape, 6)
`

function startWorker(body: string): Worker {
  return new Worker(PREPARE + body, { eval: true, workerData: { file: currentBuild().file } })
}

function message(worker: Worker): Promise<unknown> {
  return new Promise((done, fail) => worker.once('message', done).once('error', fail))
}

test('a worker that is ended in the middle of native calls takes nothing down', async () => {
  const mine = ones([2])
  for (let i = 0; i < 8; i++) {
    const worker = startWorker(`
      const a = ones(${i % 2 ? 4 : 200}, ${i % 2 ? 4 : 200})
      parentPort.postMessage('ready')
      for (;;) {
        addon.enterScope()
        for (let j = 0; j < 20; j++) { addon.call(0, a, a); addon.shape(a); addon.toBuffer(a, 6) }
        try { addon.call(0, a, ones(3, 3)) } catch {}
        addon.leaveScope([])
      }
    `)
    expect(await message(worker)).toBe('ready')
    await new Promise((done) => setTimeout(done, i * 3))
    expect(await worker.terminate()).toBe(1)
  }
  expect(toFloat32(mine)).toEqual(Float32Array.of(1, 1))
  mine.free()
})

test('threads do not see each other: counts, handles and grad mode are their own', async () => {
  const mine = ones([3])
  const before = liveTensors()
  const worker = startWorker(`
    addon.setGradMode(false)
    const made = Array.from({ length: 10 }, () => ones(2))
    let refused = false
    try { addon.shape(${mine.handle + 2 ** 22 * 1000}) } catch { refused = true }
    parentPort.postMessage({ live: addon.live(), refused })
  `)
  expect(await message(worker)).toEqual({ live: 10, refused: true })
  await worker.terminate()
  expect(liveTensors()).toBe(before)
  mine.requiresGrad = true
  expect(mine.requiresGrad).toBe(true)
  mine.free()
})

test('four threads computing at once get the right numbers', async () => {
  const workers = Array.from({ length: 4 }, () =>
    startWorker(`
      let ok = true
      for (let i = 0; i < 30; i++) {
        addon.enterScope()
        const c = new Float32Array(addon.toBuffer(addon.call(0, ones(60, 70), ones(70, 50)), 6))
        ok &&= c.every((x) => x === 70)
        addon.leaveScope([])
      }
      parentPort.postMessage(ok)
    `),
  )
  expect(await Promise.all(workers.map(message))).toEqual([true, true, true, true])
  await Promise.all(workers.map((w) => w.terminate()))
})
