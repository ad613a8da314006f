// One dataset through the API: its versions and what they came of, files that import to the same version, differences.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let viewer: Person

const base = '/api/projects/desk/datasets'
const rows = Array.from({ length: 60 }, (_, i) => ({
  id: `r${i}`,
  group: `customer ${i % 30}`,
  stratum: i % 3 === 0 ? 'refund' : 'delivery',
  prompt: `Question ${i} about thing${i} and matter${i}, asked by person${i}?`,
  completion: `Answer number ${i}: do "step${i}", then part${i},\nthen rest${i} of it.`,
}))

async function put(name: string, given: object[], kind = 'demonstrations'): Promise<string> {
  const file = new TextEncoder().encode(given.map((row) => `${JSON.stringify(row)}\n`).join(''))
  const { status, json, text } = await owner.ask(`POST ${base}/${name}?kind=${kind}&file=${name}.jsonl`, file)
  expect(status, text).toBe(200)
  return (json as { version: string }).version
}

/** Asked until it is worked out. */
async function worked<T>(path: string, person = owner): Promise<T> {
  for (;;) {
    const { status, json, text } = await person.ask(`GET ${base}/${path}`)
    expect(status, text).toBe(200)
    if ((json as { state: string }).state === 'done') return json as T
    await sleep(20)
  }
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  viewer = await harness.join('desk', 'viewer', owner)
})
afterAll(async () => {
  expect(harness.defects).toEqual([])
  await harness.close()
})

let first: string
let second: string

test('a dataset has its versions, newest first, with what each came of', async () => {
  first = await put('replies', rows)
  const later = rows.map((row, i) => (i === 4 ? { ...row, completion: 'Another answer.' } : row)).slice(1)
  second = await put('replies', [...later, { ...rows[0]!, id: 'new' }])
  expect((await viewer.ask(`GET ${base}/replies/versions`)).json).toMatchObject({
    name: 'replies',
    kind: 'demonstrations',
    versions: [
      { version: second, rows: 60, origin: 'import of replies.jsonl', parents: [] },
      { version: first, rows: 60, origin: 'import of replies.jsonl', parents: [] },
    ],
  })
  expect((await viewer.ask(`GET ${base}/none/versions`)).status).toBe(404)
})

test('rows are those of the version that is named, else of the newest', async () => {
  const idsOf = async (query: string) =>
    ((await viewer.ask(`GET ${base}/replies/rows${query}`)).json as { rows: { id: string }[] }).rows.map(({ id }) => id)
  expect((await idsOf(`?version=${first}`))[0]).toBe('r0')
  expect((await idsOf(''))[0]).toBe('r1')
  expect(await idsOf(`?version=${first}&from=50`)).toHaveLength(10)
  expect((await viewer.ask(`GET ${base}/replies/rows?version=${'a'.repeat(64)}`)).status).toBe(404)
  expect((await viewer.ask(`GET ${base}/replies/rows?version=abc`)).status).toBe(422)
})

test('a downloaded version imports to the same version', async () => {
  for (const format of ['jsonl', 'csv']) {
    const { status, text, headers } = await owner.ask(`GET ${base}/replies/file?version=${first}&format=${format}`)
    expect(status).toBe(200)
    expect(headers.get('content-disposition')).toBe(`attachment; filename="replies-${first.slice(0, 12)}.${format}"`)
    const again = `POST ${base}/again-${format}?kind=demonstrations&file=again.${format}`
    expect((await owner.ask(again, new TextEncoder().encode(text))).json).toMatchObject({ version: first })
  }
  expect((await viewer.ask(`GET ${base}/replies/file`)).status).toBe(403)
})

test('a difference has the rows that came, went and changed, field by field; the newest against the one before', async () => {
  const asked = await worked<{ rows: object }>('replies/difference', viewer)
  expect(asked).toMatchObject({
    before: { version: first },
    after: { version: second },
    added: 1,
    removed: 1,
    changed: 1,
    same: 58,
    isReordered: false,
    rows: {
      added: [{ id: 'new' }],
      removed: [{ id: 'r0' }],
      changed: [
        { name: 'r4', fields: [{ field: 'completion', before: rows[4]!.completion, after: 'Another answer.' }] },
      ],
    },
  })
  const back = await worked<object>(`replies/difference?before=${second}&after=${first}`)
  expect(back).toMatchObject({ added: 1, removed: 1, rows: { added: [{ id: 'r0' }] } })
})

test('long texts are cut, and of many rows the first are shown', async () => {
  await put('long', [{ prompt: 'Hi', completion: 'x'.repeat(9000) }])
  await put(
    'long',
    Array.from({ length: 70 }, (_, i) => ({ prompt: `P${i}`, completion: `C${i}` })),
  )
  const asked = await worked<{ added: number; rows: { added: object[]; removed: { completion: string }[] } }>(
    'long/difference',
  )
  expect([asked.added, asked.rows.added.length]).toEqual([70, 50])
  expect(asked.rows.removed[0]!.completion).toMatch(/^x{4000}… \(9000 characters\)$/)
})
