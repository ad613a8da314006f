// One dataset through the API: its versions and what they came of, files that import to the same version, differences.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkRows, coverage, splitRows } from '#data'
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

/** What is said where it cannot be worked out. */
async function refused(path: string): Promise<string> {
  for (;;) {
    const { status, text } = await viewer.ask(`GET ${base}/${path}`)
    if (status === 422) return text
    expect(status, text).toBe(200)
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

test('a version downloaded as Parquet imports to the same version', async () => {
  const { status, bytes, headers } = await owner.ask(`GET ${base}/replies/file?version=${first}&format=parquet`)
  expect(status).toBe(200)
  expect(headers.get('content-type')).toBe('application/vnd.apache.parquet')
  const again = `POST ${base}/again-parquet?kind=demonstrations&file=again.parquet`
  expect((await owner.ask(again, bytes)).json).toMatchObject({ version: first })
  const cut = await owner.ask(again, bytes.subarray(0, -1))
  expect([cut.status, cut.text]).toEqual([422, expect.stringContaining('again.parquet: expected whole Parquet')])
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

type Checked = {
  kept: number
  setAside: number
  checks: { check: string; policy: string; rows: number; findings: { row: number; clash?: object }[] }[]
}
const found = ({ checks }: Checked) =>
  Object.fromEntries(checks.filter((one) => one.rows > 0).map((one) => [one.check, one.rows]))

test('a check finds what the command line finds, with the row that each clashes with', async () => {
  const near = { ...rows[7]!, id: 'near', completion: `${rows[7]!.completion} Yours, as ever, the whole of the desk.` }
  const version = await put('faulty', [...rows, { ...rows[5]!, id: 'copy' }, { ...near, group: 'somebody' }])
  const checked = await worked<Checked>('faulty/check?similarity=0.6', viewer)
  const { counts, kept, setAside } = checkRows([...rows, { ...rows[5]!, id: 'copy' }, { ...near, group: 'somebody' }], {
    kind: 'demonstrations',
    similarity: 0.6,
  })
  expect(found(checked)).toEqual(counts)
  expect(counts).toMatchObject({ 'exact-duplicate': 1, 'near-duplicate': 1 })
  expect([checked.kept, checked.setAside]).toEqual([kept.length, setAside.length])
  const [copy] = checked.checks.find(({ check }) => check === 'exact-duplicate')!.findings
  expect(copy).toMatchObject({ row: 61, content: { id: 'copy' }, clash: { row: 6, content: { id: 'r5' } } })
  const off = await worked<Checked>('faulty/check?similarity=0.6&policy=near-duplicate=off,exact-duplicate=note')
  expect([off.kept, off.setAside, found(off)]).toEqual([62, 0, { 'exact-duplicate': 1 }])

  const policies = Object.fromEntries(off.checks.map(({ check, policy }) => [check, policy]))
  expect(policies).toMatchObject({
    'exact-duplicate': 'note',
    constraint: 'off',
    contamination: 'off',
    empty: 'set-aside',
  })
  const ignored = await viewer.ask(`GET ${base}/faulty/check?policy=constraint=note`)
  expect([ignored.status, ignored.text]).toEqual([422, expect.stringContaining('constraint would be ignored')])

  expect((await viewer.ask(`POST ${base}/faulty/check`, { version })).status).toBe(403)
  const made = await owner.ask(`POST ${base}/faulty/check`, { version, similarity: 0.6 })
  expect(made.json).toMatchObject({ name: 'faulty', rows: 60, isNew: true })
  const { versions } = (await viewer.ask(`GET ${base}/faulty/versions`)).json as { versions: object[] }
  expect(versions[0]).toMatchObject({
    origin: 'check: 1 exact-duplicate, 1 near-duplicate',
    parents: [{ version, name: 'faulty' }],
  })
  const { entries } = (await owner.ask('GET /api/projects/desk/audit')).json as { entries: object[] }
  expect(entries[0]).toMatchObject({ action: 'dataset.check', subject: 'faulty', detail: { from: version, rows: 60 } })
})

test('against held-out and evaluation rows it finds what leaks, and shows both rows', async () => {
  await put('held', [{ id: 'h', group: 'customer 3', prompt: rows[9]!.prompt, completion: 'Of its own.' }])
  await put('suite', [{ prompt: `Tell me: ${rows[11]!.prompt}` }], 'prompts')
  const checked = await worked<Checked>(`replies/check?version=${first}&heldOut=held&evaluation=suite&words=8`)
  expect(found(checked)).toEqual({ 'leak-group': 2, 'leak-text': 1, contamination: 1 })
  const clashOf = (name: string) => checked.checks.find(({ check }) => check === name)!.findings[0]!.clash
  expect(clashOf('leak-text')).toMatchObject({ row: 1, among: 'heldOut', content: { id: 'h' } })
  expect(clashOf('contamination')).toMatchObject({ row: 1, among: 'evaluation' })
  expect((await viewer.ask(`GET ${base}/replies/check?heldOut=none`)).status).toBe(404)
  await put('judged', [{ item: 'i', annotator: 'p', left: 'x', right: 'y', choice: 'left' }], 'judgements')
  const refused = await viewer.ask(`GET ${base}/replies/check?heldOut=judged`)
  expect([refused.status, refused.text]).toEqual([422, expect.stringContaining('heldOut: expected prompts')])
})

test('a split is planned as the command line deals it, then made, and written down', async () => {
  const query = `?version=${first}&shares=train=0.7,test=0.3&stratified=true&seed=4`
  const plan = await worked<{ hash: string; sizes: object }>(`replies/split${query}`, viewer)
  const { report } = splitRows(rows, { shares: { train: 0.7, test: 0.3 }, seed: 4, stratified: true })
  expect(plan).toMatchObject({ hash: report.hash, groups: 30, ungrouped: 0, sizes: report.sizes })
  const body = { version: first, shares: 'train=0.7,test=0.3', stratified: true, seed: 4 }
  expect((await viewer.ask(`POST ${base}/replies/split`, body)).status).toBe(403)
  const { json } = await owner.ask(`POST ${base}/replies/split`, body)
  expect(json).toMatchObject({
    made: [
      { name: 'replies-train', rows: report.sizes.train!.rows, isNew: true },
      { name: 'replies-test', rows: report.sizes.test!.rows, isNew: true },
    ],
  })
  const { versions } = (await viewer.ask(`GET ${base}/replies-test/versions`)).json as { versions: object[] }
  expect(versions).toMatchObject([
    { origin: 'split: test by group, seed 4', parents: [{ version: first, name: 'replies' }] },
  ])
  const { entries } = (await owner.ask('GET /api/projects/desk/audit')).json as { entries: object[] }
  expect(entries[0]).toMatchObject({ action: 'dataset.split', detail: { hash: report.hash, from: first } })
})

test('a split that cannot be is refused in words, and nothing is made', async () => {
  await put('replies-half', [{ prompt: 'Hi' }], 'prompts')
  const half = await owner.ask(`POST ${base}/replies/split`, { version: first, shares: 'half=0.5,rest=0.5', seed: 1 })
  expect([half.status, half.text]).toEqual([422, expect.stringContaining('replies-half holds prompts already')])
  expect((await viewer.ask(`GET ${base}/replies-rest/versions`)).status).toBe(404)
  for (const [shares, said] of [
    ['train=0.5,test=0.4', 'add up to 1'],
    ['train=0.999,test=0.001', 'none for test'],
  ])
    expect(await refused(`replies/split?version=${first}&shares=${shares}`)).toContain(said)
})

test('coverage of prompts by demonstrations: what has none first; asked again it is the same answer', async () => {
  const asks = [
    ...rows,
    ...rows.map(({ prompt }) => ({ prompt: `Where is the ${prompt.slice(9, 12)} parcel of mine` })),
  ]
  await put('asks', asks, 'prompts')
  const path = 'asks/coverage?demonstrations=replies&similarity=0.5'
  const found = await worked<object>(path, viewer)
  const asked = asks.map(({ prompt, stratum }: { prompt: string; stratum?: string }) =>
    stratum === undefined ? { prompt } : { prompt, stratum },
  )
  const later = [...rows.slice(1), { ...rows[0]!, id: 'new' }]
  expect(found).toEqual({ state: 'done', ...coverage(asked, later, { seed: 1, similarity: 0.5 }), quotas: [] })
  expect((await viewer.ask(`GET ${base}/${path}`)).json).toEqual(found)
  const quotas = join(harness.workspace, 'quotas.json')
  writeFileSync(quotas, '{"demonstrations": {"refund": 10, "emotional": 5}}')
  expect(((await viewer.ask(`GET ${base}/${path}`)).json as { quotas: object[] }).quotas).toEqual([
    { of: 'demonstrations', stratum: 'emotional', wanted: 5, have: 0 },
    { of: 'demonstrations', stratum: 'refund', wanted: 10, have: 20 },
  ])
  writeFileSync(quotas, '{"demonstrations": {"refund": 0}}')
  const broken = await viewer.ask(`GET ${base}/${path}`)
  expect([broken.status, broken.text]).toEqual([
    422,
    expect.stringMatching(/quotas\.json:1:\d+: demonstrations\.refund/),
  ])
  rmSync(quotas)
  for (const [query, said] of [
    ['', 'expected the name of a dataset'],
    ['?demonstrations=asks', 'got prompts in asks'],
    ['?demonstrations=replies&similarity=2', 'similarity'],
  ]) {
    const refused = await viewer.ask(`GET ${base}/asks/coverage${query}`)
    expect([refused.status, refused.text]).toEqual([422, expect.stringContaining(said!)])
  }
})
