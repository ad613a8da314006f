// An evaluation of three models: a real sampler draws, each two meet on every prompt with sides in balance, people judge and learn
// no names, and the ratings are those of hone evaluate on the same answers.
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rateModels } from '#evaluate'
import { hashFolder, sha256File } from '#files'
import { readEvaluation } from '#lineage'
import { openSamplerLink } from '#sampler'
import type { SamplerLink } from '#sampler/contract'
import { Judgement } from '#schema'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { type Harness, openHarness, type Person, setUp } from './harness.test-data.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')
const PROMPTS = 8
const MODELS = ['models/late', 'models/mid', 'models/early']
const NAMES = ['models-late', 'models-mid', 'models-early']
const AT = '/api/projects/desk'
let harness: Harness
let sampler: SamplerLink
let owner: Person
let annotator: Person
let id: string
const asFile = (rows: unknown[]) => new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))

beforeAll(async () => {
  sampler = openSamplerLink({ command: [process.execPath, HONE, 'sampler'] })
  harness = await openHarness({ sampler })
  for (const [i, name] of MODELS.entries())
    createTinyModel(join(harness.workspace, name), { contextTokens: 400, seed: i + 1 })
  owner = await setUp(harness)
  annotator = await harness.join('desk', 'annotator', owner)
  const rows = Array.from({ length: PROMPTS }, (_, i) => ({ prompt: `Q${i}?` }))
  await owner.ask(`POST ${AT}/datasets/held-out?kind=prompts`, asFile(rows))
})
afterAll(async () => {
  await harness.close()
  await sampler.close()
})

type Figure = { name: string; value: number; low: number; high: number }
type Shown = {
  state: string
  campaign: string | null
  candidate: string
  opponent: string
  models: { name: string; rated: string }[]
  samples: { wanted: number }
  judgements: { wanted: number }
  winRate: null
  result: null
  round: { state: string; figures: Figure[]; couples: { of: string; over: string; value: number; n: number }[] } | null
}
const look = async (): Promise<Shown> => (await owner.ask(`GET ${AT}/evaluations/${id}`)).json as Shown
const body = {
  name: 'Round',
  candidate: MODELS[0],
  opponent: MODELS[1],
  others: [MODELS[2]],
  prompts: 'held-out',
  maxTokens: 20,
}

test('three models are asked for by different names, and each two of them are to meet on every prompt', async () => {
  const refused = async (over: object) => (await owner.ask(`POST ${AT}/evaluations`, { ...body, ...over })).text
  expect(await refused({ others: [MODELS[0]] })).toContain('two of them would be called models-late')
  expect(await refused({ others: ['nobody'] })).toContain('no language model nobody')
  expect(await refused({ others: Array.from({ length: 5 }, () => MODELS[2]) })).toContain('others')
  const made = await owner.ask(`POST ${AT}/evaluations`, body)
  expect(made.status, made.text).toBe(200)
  id = (made.json as { id: string }).id
  await expect.poll(async () => (await look()).campaign, { timeout: 60_000 }).not.toBeNull()
  const shown = await look()
  expect(shown).toMatchObject({ candidate: MODELS[0], opponent: 'models/mid, models/early', round: null })
  expect(shown.models.map(({ name, rated }) => [name, rated])).toEqual(MODELS.map((name, i) => [name, NAMES[i]]))
  expect([shown.samples.wanted, shown.judgements.wanted]).toEqual([3 * PROMPTS, 3 * PROMPTS])
})

/** Who wrote a text, by its place in the evaluation. */
async function writers(): Promise<Map<string, number>> {
  const rows = await harness.store.query<{ model: number; completion: string }>(
    `select model::int, completion from samples join evaluations on evaluations.fill_id = samples.fill_id
     where evaluations.id = $1`,
    [id],
  )
  return new Map(rows.map(({ model, completion }) => [completion, model]))
}

test('people judge blind; of each two, either stands first in half of their pairs', async () => {
  const writer = await writers()
  expect(writer.size).toBe(3 * PROMPTS)
  const items = await harness.store.query<{ a: string; b: string }>('select a, b from items where campaign_id = $1', [
    (await look()).campaign,
  ])
  const met = items.map(({ a, b }) => [writer.get(a)!, writer.get(b)!].join())
  for (const [x, y] of [
    [0, 1],
    [0, 2],
    [1, 2],
  ])
    for (const sides of [`${x},${y}`, `${y},${x}`])
      expect(
        met.filter((both) => both === sides),
        sides,
      ).toHaveLength(PROMPTS / 2)
  const at = `${AT}/campaigns/${(await look()).campaign}`
  await annotator.ask(`PUT ${at}/guideline-read`)
  let answer = await annotator.ask(`POST ${at}/claim`)
  const seen = [answer.text]
  for (let i = 0; ; i++) {
    const { task } = answer.json as { task: { id: string; left: string; right: string } | null }
    if (!task) break
    // Usually who comes first in the evaluation is better; every fifth time not.
    const isBetter = writer.get(task.left)! < writer.get(task.right)!
    const choice = isBetter === i % 5 > 0 ? 'left' : 'right'
    const said = { key: randomUUID(), choice, strength: 2, activeSeconds: 3 }
    answer = await annotator.ask(`POST ${at}/items/${task.id}/judgement`, said)
    expect(answer.status, answer.text).toBe(200)
    seen.push(answer.text)
  }
  expect(seen.join('')).not.toMatch(/models|late|early/)
})

test('the ratings are those of hone evaluate on the same answers; recorded, they are a file that gates and lineage read', async () => {
  await expect.poll(async () => (await look()).round?.state, { timeout: 60_000 }).toBe('done')
  const { state, round, winRate, result } = await look()
  expect([state, winRate, result]).toEqual(['judged', null, null])
  const recorded = await owner.ask(`POST ${AT}/evaluations/${id}/record`)
  expect(recorded.status, recorded.text).toBe(200)
  const { artifact, file } = recorded.json as { artifact: string; file: string }
  const path = join(harness.workspace, file)
  expect(sha256File(path)).toBe(artifact)
  const written = readEvaluation(path)
  expect(written).toMatchObject({ metric: 'ratings', suite: { name: 'round', rows: 3 * PROMPTS } })
  expect(written.rated!.map(({ name }) => name)).toEqual(NAMES)
  expect(written.rated!.map(({ hash }) => hash)).toEqual(
    MODELS.map((name) => hashFolder(join(harness.workspace, name))),
  )
  const writer = await writers()
  const rows = await harness.store.query<{ item: string; a: string; b: string; prompt: string }>(
    "select item, a, b, prompt #>> '{}' as prompt from items where campaign_id = $1",
    [(await look()).campaign],
  )
  const kept = await owner.ask(`GET ${AT}/campaigns/${(await look()).campaign}/judgements`)
  const judgements = kept.text
    .trim()
    .split('\n')
    .map((line) => Judgement.parse(JSON.parse(line)))
  const pairs = rows.map((row) => ({
    ...row,
    group: row.prompt,
    models: [NAMES[writer.get(row.a)!]!, NAMES[writer.get(row.b)!]!] as const,
  }))
  const own = rateModels({ judgements, pairs, models: NAMES, anchor: NAMES[1]!, seed: 0, resamples: 2 })
  const valueOf = (name: string) => round!.figures.find((figure) => figure.name === name)!
  for (const [i, name] of NAMES.entries()) {
    const { value } = own.ratings.find((rating) => rating.name === name)!
    expect(valueOf(`ratings.${name}`).value).toBeCloseTo(value, 6)
    expect(valueOf(`controlled.ratings.${name}`).low).toBeLessThan(valueOf(`controlled.ratings.${name}`).high)
    if (i > 0) expect(value).toBeLessThan(own.ratings.find((rating) => rating.name === NAMES[i - 1])!.value)
  }
  expect(round!.couples.map(({ of, over, n }) => [of, over, n])).toEqual([
    [NAMES[0], NAMES[1], PROMPTS],
    [NAMES[0], NAMES[2], PROMPTS],
    [NAMES[1], NAMES[2], PROMPTS],
  ])
  // What was recorded is what was shown.
  const after = await look()
  expect(after).toMatchObject({
    state: 'recorded',
    round: { figures: expect.arrayContaining(round!.figures) as object },
  })
  const rules = [
    { name: 'ahead', statistic: `round.ratings.${NAMES[0]}`, bound: 'value', comparison: 'above', value: 0 },
  ]
  const asked = await owner.ask(`POST ${AT}/candidacies`, { release: 'desk', rules, evaluations: [{ hash: artifact }] })
  expect(asked.status, asked.text).toBe(200)
  const { candidacies } = (await owner.ask(`GET ${AT}/releases`)).json as { candidacies: { verdict: string }[] }
  expect(candidacies[0]!.verdict).toBe('passed')
  const walk = (await owner.ask(`GET ${AT}/lineage/walk?id=${artifact}`)).json as { nodes: { label: string }[] }
  expect(walk.nodes.map(({ label }) => label)).toEqual(expect.arrayContaining(MODELS))
})

test('no defect was met on the way', () => {
  expect(harness.defects).toEqual([])
})
