// A run watched as it happens: by many at once from one reader, over a broken connection without a gap, back to its
// checkpoint; and shown out when the right to watch ends. Curves keep every spike.
import fs from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, ORIGIN, type Person, setUp } from '../harness.test-data.ts'
import { curvesOf, thin } from './curves.ts'
import { Tail } from './tail.ts'

let harness: Harness
let owner: Person
let viewer: Person
let folder: string
const RUN = '/api/projects/desk/runs/watched'

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  viewer = await harness.join('desk', 'viewer', owner)
  folder = join(harness.workspace, 'runs', 'watched')
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ recipe: 'sft', config: { steps: 100 } }))
  fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ recipe: 'sft', status: 'stopped', simulated: false }))
})
afterAll(() => harness.close())

const append = (file: string, ...lines: object[]) =>
  fs.appendFileSync(join(folder, file), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
const stepRows = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ step: from + i, loss: 1 / (from + i + 1), tokens: 10 }))

type Event = { id: string; event: string; data: unknown }

/** Watches until it is left; `steps` are those of the rows it was told. */
async function watch(person: Person, { from, last }: { from?: string; last?: string } = {}) {
  const leaving = new AbortController()
  const query = from === undefined ? '' : `?from=${from}`
  const response = await harness.server.app.request(`${ORIGIN}${RUN}/events${query}`, {
    headers: { cookie: person.cookie() ?? '', ...(last !== undefined && { 'last-event-id': last }) },
    signal: leaving.signal,
  })
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
  const events: Event[] = []
  let isOver = false
  const reader = response.body!.getReader()
  const reading = (async () => {
    const decoder = new TextDecoder()
    let text = ''
    for (;;) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }))
      if (done) break
      text += decoder.decode(value, { stream: true })
      const blocks = text.split('\n\n')
      text = blocks.pop()!
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1]
        if (field('event') !== undefined)
          events.push({ id: field('id')!, event: field('event')!, data: JSON.parse(field('data')!) })
      }
    }
    isOver = true
  })()
  return {
    events,
    isOver: () => isOver,
    steps: () =>
      events
        .filter(({ event }) => event === 'rows')
        .flatMap(({ data }) => (data as { step: number }[]).map(({ step }) => step)),
    async leave() {
      leaving.abort()
      await reader.cancel().catch(() => {})
      await reading
    },
  }
}

const placeNow = async () => ((await viewer.ask(`GET ${RUN}/curves`)).json as { place: string }).place
const until = (look: () => unknown) => expect.poll(look, { timeout: 30_000, interval: 50 })

test('many watch one run from one reader; each is told every row once, and the reader ends with the last of them', async () => {
  append('metrics.jsonl', ...stepRows(1, 5))
  const from = await placeNow()
  const watchers = await Promise.all(Array.from({ length: 12 }, () => watch(viewer, { from })))
  append('metrics.jsonl', ...stepRows(6, 8), { kind: 'alarm', step: 8, name: 'kl' })
  append('output.txt', { said: 1 })
  for (const watcher of watchers) await until(() => watcher.steps()).toEqual([6, 7, 8, 8])
  for (const { events } of watchers) {
    await until(() => events.some(({ event }) => event === 'log')).toBe(true)
    expect(events.find(({ event }) => event === 'state')!.data).toMatchObject({
      run: 'watched',
      state: 'stopped',
      step: expect.any(Number),
    })
  }
  for (const watcher of watchers) await watcher.leave()
})

test('after a break the last id brings exactly what was missed, also to another connection', async () => {
  const first = await watch(viewer, { from: await placeNow() })
  append('metrics.jsonl', ...stepRows(9, 12))
  await until(() => first.steps()).toEqual([9, 10, 11, 12])
  const last = first.events.at(-1)!.id
  await first.leave()
  append('metrics.jsonl', ...stepRows(13, 15))
  fs.appendFileSync(join(folder, 'metrics.jsonl'), '{"step":16,"los')
  const second = await watch(viewer, { from: '0.0.0.0', last })
  await until(() => second.steps()).toEqual([13, 14, 15])
  fs.appendFileSync(join(folder, 'metrics.jsonl'), 's":0.5}\n')
  await until(() => second.steps()).toEqual([13, 14, 15, 16])
  await second.leave()
  // From the very beginning: all of it.
  const whole = await watch(viewer, { from: '0.0.0.0' })
  await until(() => new Set(whole.steps()).size).toBe(16)
  await whole.leave()
  // An id that was never given out is none.
  const odd = await watch(viewer, { last: '9e9.x.0' })
  await until(() => odd.events.map(({ event }) => event)).toContain('state')
  expect(odd.steps()).toEqual([])
  await odd.leave()
})

test('a run that went back to its checkpoint says so to who had seen more', async () => {
  const watcher = await watch(viewer, { from: await placeNow() })
  await until(() => watcher.events.length).toBeGreaterThan(0)
  const text = fs.readFileSync(join(folder, 'metrics.jsonl'), 'utf8').split('\n').slice(0, 4).join('\n')
  fs.writeFileSync(join(folder, 'metrics.jsonl'), `${text}\n`)
  await until(() => watcher.events.map(({ event }) => event)).toContain('again')
  expect((await viewer.ask(`GET ${RUN}/curves`)).json).toMatchObject({ count: 4 })
  await watcher.leave()
})

test('who loses the right to watch is shown out while watching', async () => {
  const person = await harness.join('desk', 'viewer', owner)
  const watcher = await watch(person)
  await until(() => watcher.events.length).toBeGreaterThan(0)
  expect(watcher.isOver()).toBe(false)
  await owner.ask(`DELETE /api/projects/desk/people/${person.id}`)
  await until(() => watcher.isOver()).toBe(true)
})

test('annotators and strangers get no stream', async () => {
  const annotator = await harness.join('desk', 'annotator', owner)
  expect((await annotator.ask(`GET ${RUN}/events`)).status).toBe(403)
  expect((await harness.stranger().ask(`GET ${RUN}/events`)).status).toBe(401)
})

test('a thinned curve has the least and the greatest of every stretch, and points of the curve alone', () => {
  const curve = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 400 })
  fc.assert(
    fc.property(curve, fc.integer({ min: 2, max: 100 }), (values, points) => {
      const steps = values.map((_, i) => i * 3)
      const thinned = thin({ name: 'x', steps, values }, points)
      expect(thinned.steps.length).toBeLessThanOrEqual(Math.max(points, 2))
      expect(Math.min(...thinned.values)).toBe(Math.min(...values))
      expect(Math.max(...thinned.values)).toBe(Math.max(...values))
      thinned.steps.forEach((step, i) => expect(thinned.values[i]).toBe(values[step / 3]))
      expect(thinned.steps).toEqual([...thinned.steps].sort((a, b) => a - b))
    }),
  )
})

test('curves, alarms, tokens and the CSV follow the file as it grows', async () => {
  const at = join(harness.workspace, 'runs', 'grows')
  fs.mkdirSync(at)
  const file = join(at, 'metrics.jsonl')
  const write = (rows: object[]) => fs.appendFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  write([{ step: 0, heldOutLoss: 3 }, ...stepRows(1, 3), { kind: 'alarm', step: 3, name: 'kl', value: 2 }])
  expect(curvesOf(at, 100)).toMatchObject({
    count: 4,
    alarms: [{ step: 3, name: 'kl' }],
    axes: { tokens: [10, 20, 30] },
  })
  write([...stepRows(4, 4), { kind: 'mark', step: 4, mark: { step: 4, kl: 0.8, decision: 'go on' } }])
  const curves = curvesOf(at, 100)
  expect(curves.count).toBe(5)
  expect(curves.marks).toEqual([{ step: 4, kl: 0.8, decision: 'go on' }])
  expect(curves.series.find(({ name }) => name === 'loss')!.steps).toEqual([1, 2, 3, 4])
  fs.writeFileSync(join(at, 'run.json'), JSON.stringify({ recipe: 'sft', status: 'done' }))
  fs.writeFileSync(join(at, 'config.json'), '{}')
  const { text, headers } = await viewer.ask('GET /api/projects/desk/runs/grows/metrics')
  expect(headers.get('content-disposition')).toMatch(/grows\.csv/)
  expect(text.trim().split('\n')).toEqual([
    'step,heldOutLoss,loss,tokens',
    '0,3,,',
    '1,,0.5,10',
    `2,,${1 / 3},10`,
    '3,,0.25,10',
    '4,,0.2,10',
  ])
})

test('a tail reads each byte once for all, from memory and from the file alike', () => {
  const file = join(harness.workspace, 'long.txt')
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i} ${'ü'.repeat(i % 40)}`)
  fs.writeFileSync(file, `${lines.slice(0, 20_000).join('\n')}\n`)
  const tail = new Tail(file)
  fs.appendFileSync(file, `${lines.slice(20_000).join('\n')}\nno end`)
  expect(tail.poll()).toBe(true)
  const seen: string[] = []
  for (let place = 0; place < tail.end; ) {
    const piece = tail.since(place)!
    seen.push(...piece.lines)
    place = piece.to
  }
  expect(seen).toEqual(lines)
})

test('no defect was met on the way', () => expect(harness.defects).toEqual([]))
