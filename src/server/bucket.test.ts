// A server whose workspace keeps artifacts in a bucket: what is imported or sent is in the bucket when it is told, what the
// bucket refuses is told to whoever asked, and keys are in no answer, defect or audit.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listDatasets } from '#data'
import { sha256 } from '#files'
import { type FakeS3, startS3 } from '../bucket/s3-server.test-data.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
let s3: FakeS3
const before = { ...process.env }

beforeAll(async () => {
  s3 = await startS3()
  Object.assign(process.env, s3.env)
  harness = await openHarness()
  fs.writeFileSync(join(harness.workspace, 'hone.json'), '{"name": "desk", "artifacts": "s3://desk"}')
  owner = await setUp(harness)
})
afterAll(async () => {
  expect(harness.defects).toEqual([])
  await harness.close()
  await s3.close()
  for (const name of Object.keys(s3.env)) delete process.env[name]
  Object.assign(process.env, before)
})

const put = (name: string, text: string) =>
  owner.ask(
    `POST /api/projects/desk/datasets/${name}?kind=prompts&file=${name}.jsonl`,
    new TextEncoder().encode(`{"prompt":${JSON.stringify(text)}}\n`),
  )

test('a dataset is there when its rows are in the bucket', async () => {
  expect((await put('first', 'Where is it?')).status).toBe(200)
  const rows = '{"prompt":"Where is it?"}\n'
  expect(
    s3.buckets
      .get('desk')!
      .get(`${sha256(rows).slice(0, 2)}/${sha256(rows)}`)!
      .toString(),
  ).toBe(rows)
})

test('what the bucket refuses is refused, in words, and nothing is half there', async () => {
  s3.fault = () => ({ status: 403, code: 'QuotaExceeded' })
  const refused = await put('second', 'And now?')
  expect([refused.status, refused.text]).toEqual([502, expect.stringContaining('/desk: the server refused (QuotaExc')])
  expect(listDatasets(harness.workspace)).toEqual(['first'])
  s3.fault = () => undefined
  expect((await put('second', 'And now?')).status).toBe(200)
  const told = JSON.stringify([refused, await harness.store.query('select * from audit')])
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    expect(told).not.toContain(s3.env[name])
})

test('a file that is sent for runs is in the bucket too', async () => {
  const rules = '[{"name": "sorry", "kind": "regex", "pattern": "sorry", "weight": -1}]'
  const sent = await owner.ask('POST /api/projects/desk/run-files?kind=rules', new TextEncoder().encode(rules))
  expect([sent.status, s3.buckets.get('desk')!.has(`${sha256(rules).slice(0, 2)}/${sha256(rules)}`)]).toEqual([
    200,
    true,
  ])
})
