// The objective over the API: read by every member, saved by leads as versions and as the workspace's file, refused by the field,
// and never written over what somebody else, or another program, made of it meanwhile.
import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashRow } from '#files'
import { Objective, Role } from '#schema'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

let harness: Harness
let owner: Person
const members = new Map<Role, Person>()
type Shown = {
  criteria: { name: string }[]
  objective: Objective | null
  hash: string | null
  version: number | null
  problem: string | null
  versions: { number: number; by?: string | null; note: string }[]
}

beforeAll(async () => {
  harness = await openHarness()
  owner = await setUp(harness)
  members.set('owner', owner)
  for (const role of Role.options) if (role !== 'owner') members.set(role, await harness.join('desk', role, owner))
})
afterAll(() => harness.close())

const AT = '/api/projects/desk/objective'
const look = async (by = owner) => (await by.ask(`GET ${AT}`)).json as Shown
const save = (objective: unknown, from: string | null, { note = '', by = owner } = {}) =>
  by.ask(`PUT ${AT}`, { objective, from, note })
const file = () => join(harness.workspace, 'objective.json')
const onDisk = () => fs.readFileSync(file(), 'utf8')
const rows = async () => (await harness.store.query<{ n: number }>('select count(*)::int as n from objectives'))[0]!.n

test('before the first save the file is shown as it is; every member reads it, annotators without names', async () => {
  const shown = await look()
  expect(shown.objective).toEqual(Objective.parse(JSON.parse(onDisk())))
  expect(shown.hash).toBe(hashRow(shown.objective))
  expect([shown.version, shown.problem, shown.versions]).toEqual([null, null, []])
  expect(shown.criteria.map(({ name }) => name)).toEqual(shown.objective!.criteria.map(({ name }) => name))
  for (const [role, person] of members) {
    expect((await look(person)).hash, role).toBe(shown.hash)
    const mayNot = role !== 'owner' && role !== 'lead'
    if (mayNot) expect((await save(shown.objective, shown.hash, { by: person })).status, role).toBe(403)
  }
  expect(await rows()).toBe(0)
})

test('a save keeps what the file was, makes a version, and the file is what was saved', async () => {
  const { objective, hash } = await look()
  const next = { ...objective!, summary: 'Kinder.' }
  const saved = await save(next, hash, { note: '  kinder ', by: members.get('lead')! })
  expect([saved.status, saved.json]).toEqual([200, { number: 2, isNew: true }])
  expect(onDisk()).toBe(`${JSON.stringify(next, null, 2)}\n`)
  const shown = await look()
  expect(shown).toMatchObject({ objective: next, hash: hashRow(next), version: 2, problem: null })
  expect(shown.versions).toMatchObject([
    { number: 2, by: 'lead 2', note: 'kinder' },
    { number: 1, by: null, note: 'the file, as it was in the workspace' },
  ])
  const names = (await look(members.get('annotator')!)).versions.map((version) => 'by' in version)
  expect(names).toEqual([false, false])
  expect((await owner.ask(`GET ${AT}/versions/1`)).json).toMatchObject({ number: 1, objective })
  expect((await owner.ask(`GET ${AT}/versions/2`)).json).toMatchObject({ number: 2, note: 'kinder', objective: next })
  expect((await owner.ask(`GET ${AT}/versions/3`)).status).toBe(404)
  const entries = await harness.store.query(
    "select users.name as by, subject, detail from audit join users on users.id = audit.actor where action = 'objective.save'",
  )
  const detail = { version: 2, hash: hashRow(next), criteria: next.criteria.length }
  expect(entries).toEqual([{ by: 'lead 2', subject: 'desk', detail }])
  // The same again is no version.
  expect((await save(next, hashRow(next))).json).toEqual({ number: 2, isNew: false })
  expect(await rows()).toBe(2)
})

test('what is wrong is refused by its field, and nothing is saved', async () => {
  const { objective, hash } = await look()
  const [first, ...others] = objective!.criteria
  const target = first!.targets[0]!
  for (const [criterion, says] of [
    [{ ...first, name: 'Not A Name' }, 'objective.criteria.0.name: expected lower-case letters'],
    [{ ...first, definition: '' }, 'objective.criteria.0.definition: expected a definition'],
    [{ ...first, weight: -1 }, 'objective.criteria.0.weight: '],
    [{ ...first, source: 'a feeling' }, 'objective.criteria.0.source: '],
    [{ ...first, name: others[0]!.name }, 'objective.criteria.1.name: expected each name once'],
    [{ ...first, scale: { low: 1, high: 1 } }, 'objective.criteria.0.scale.high: expected more than the low end'],
    [{ ...first, targets: [{ ...target, level: 1 }] }, 'objective.criteria.0.targets.0.level: '],
    [{ ...first, colour: 'red' }, 'objective.criteria.0: '],
  ] as const) {
    const { status, text } = await save({ ...objective, criteria: [criterion, ...others] }, hash)
    expect([status, text], says).toEqual([422, expect.stringContaining(`"message":"${says}`)])
  }
  const { text } = await save({ ...objective, criteria: [] }, hash)
  expect(text).toContain('objective.criteria: expected at least one criterion')
  expect((await save(objective, 'x')).text).toContain('from: expected the hash of an objective')
  expect(await look()).toMatchObject({ version: 2, hash })
})

test('of two who began from the same, the second is told and writes over nothing; at once, one of them is', async () => {
  const { objective, hash } = await look()
  expect((await save({ ...objective, summary: 'Mine.' }, hash)).status).toBe(200)
  const late = await save({ ...objective, summary: 'Theirs.' }, hash)
  expect([late.status, late.text]).toEqual([409, expect.stringContaining('was changed while you wrote')])
  const mine = await look()
  expect([mine.objective!.summary, mine.version]).toEqual(['Mine.', 3])
  const both = ['One.', 'Two.', 'Three.'].map((summary) => save({ ...objective, summary }, mine.hash))
  const statuses = (await Promise.all(both)).map(({ status }) => status)
  expect(statuses.sort((a, b) => a - b)).toEqual([200, 409, 409])
  expect(await look()).toMatchObject({ version: 4, objective: Objective.parse(JSON.parse(onDisk())) })
})

test('a file changed by other hands shows as such, is no longer what an editor began from, and becomes a version', async () => {
  const { objective, hash } = await look()
  const theirs = { ...objective!, summary: 'By hand.' }
  fs.writeFileSync(file(), JSON.stringify(theirs))
  const shown = await look()
  expect(shown).toMatchObject({ version: null, objective: theirs, hash: hashRow(theirs) })
  expect((await save({ ...objective, summary: 'Ours.' }, hash)).status).toBe(409)
  expect(onDisk()).toBe(JSON.stringify(theirs))
  expect((await save({ ...theirs, summary: 'Both.' }, shown.hash)).json).toEqual({ number: 6, isNew: true })
  const { versions, version } = await look()
  expect([version, versions[1]]).toMatchObject([
    6,
    { number: 5, by: null, note: 'the file, as it was changed outside of the server' },
  ])
  expect((await owner.ask(`GET ${AT}/versions/5`)).json).toMatchObject({ objective: theirs })
  const { summary: _, ...rest } = theirs
  // Spaces and order of keys are no change; saved as it is, a changed file is one version by who saved it.
  fs.writeFileSync(file(), JSON.stringify({ summary: 'Both.', ...rest }, null, 7))
  expect((await look()).version).toBe(6)
  fs.writeFileSync(file(), JSON.stringify(theirs))
  expect((await save(theirs, hashRow(theirs), { note: 'theirs it is' })).json).toEqual({ number: 7, isNew: true })
  expect((await look()).versions[0]).toMatchObject({ number: 7, by: 'Owner', note: 'theirs it is' })
})

test('a file that holds no objective is said, and is not written over', async () => {
  const before = await look()
  for (const [text, says] of [
    ['{"name": "desk"', 'holds no JSON'],
    [JSON.stringify({ ...before.objective, summary: 5 }), 'summary'],
  ] as const) {
    fs.writeFileSync(file(), text)
    const { problem, objective, criteria, hash } = await look()
    expect([objective, criteria, hash]).toEqual([null, [], null])
    expect(problem).toContain(says)
    for (const from of [before.hash, null]) {
      const refused = await save(before.objective, from)
      expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('Mend the file')])
    }
    expect(onDisk()).toBe(text)
  }
  // Gone, it is begun anew, and the versions stay.
  fs.rmSync(file())
  expect(await look()).toMatchObject({ objective: null, hash: null, version: null, problem: null })
  expect((await save(before.objective, null, { note: 'again' })).json).toEqual({ number: 8, isNew: true })
  expect(await look()).toMatchObject({ objective: before.objective, version: 8 })
})

test('a project that begins empty gets its first objective in a file of its own; no defect was met', async () => {
  const { objective } = await look()
  await owner.ask('POST /api/projects', { name: 'Care' })
  const at = '/api/projects/care/objective'
  expect((await owner.ask(`GET ${at}`)).json).toMatchObject({ objective: null, versions: [] })
  const saved = await owner.ask(`PUT ${at}`, { objective: { ...objective, name: 'care' }, from: null })
  expect(saved.json).toEqual({ number: 1, isNew: true })
  const own = JSON.parse(fs.readFileSync(join(harness.workspace, 'care.objective.json'), 'utf8')) as Objective
  expect(own.name).toBe('care')
  expect((await look()).version).toBe(8)
  expect(harness.defects).toEqual([])
})
