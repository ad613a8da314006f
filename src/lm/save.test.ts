import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { GroupLoss, HeadSpec, Model, Output, Sequence, UpdateGroup } from '#engine/contract'
import { liveTensors, toFloat32 } from '#torch'
import { readConfig } from './config.ts'
import { createFolder } from './create-folder.ts'
import { createEmbeddedEngine } from './embedded.ts'
import { readFolder, writeFolder } from './folder.ts'
import type { LanguageModel } from './model.ts'

const engine = createEmbeddedEngine()
const PASS = { temperature: 1, seed: 0 }
const GROUP: UpdateGroup = { learningRate: 0.01, clipNorm: 1, betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 }
const HEADS: HeadSpec = {
  value: { hidden: [6, 5], detached: false, init: 'normal' },
  scores: { names: ['helpful'], read: 'sum' },
}
const SCORED: Sequence = { tokens: Int32Array.of(3, 1, 4, 1, 5, 9), isScored: Uint8Array.of(0, 0, 1, 1, 1, 1) }
const golden = (name: string): string => join(import.meta.dirname, 'goldens', name)

let before = 0
let folder = ''
const loaded: Model[] = []
beforeEach(() => {
  before = liveTensors()
  folder = mkdtempSync(join(tmpdir(), 'hone-save-'))
})
afterEach(async () => {
  for (const model of loaded.splice(0)) await engine.release(model)
  rmSync(folder, { recursive: true })
  expect(liveTensors()).toBe(before)
})

test('a run continued from resume has the bits of one that was never stopped', async () => {
  const whole = await load('untied-llama3', HEADS)
  for (let i = 0; i < 3; i++) await learn(whole, i)
  const saved = await engine.save(whole, 'resume', join(folder, 'a'))
  const resumed = (await engine.load({ from: { resume: saved }, trains: 'all' })) as LanguageModel
  loaded.push(resumed)
  expect(resumed.updates).toEqual(whole.updates)
  for (let i = 3; i < 6; i++) {
    await learn(whole, i)
    await learn(resumed, i)
  }
  expect(bits(resumed)).toEqual(bits(whole))
  const again = await engine.save(resumed, 'resume', join(folder, 'b'))
  const straight = await engine.save(whole, 'resume', join(folder, 'c'))
  expect(again.files).toEqual(straight.files)
})

test('a damaged checkpoint is refused', async () => {
  const model = await load('grouped-tied')
  await learn(model, 0, ['logprobs'])
  const saved = await engine.save(model, 'resume', join(folder, 'a'))
  const file = join(folder, 'a', 'hone-moments.safetensors')
  const bytes = readFileSync(file)
  bytes[bytes.length - 5]! ^= 1
  writeFileSync(file, bytes)
  await expect(engine.load({ from: { resume: saved }, trains: 'all' })).rejects.toThrow(/checkpoint is damaged/)
  await expect(
    engine.load({ from: { resume: { folder: golden('grouped-tied'), files: [] } }, trains: 'all' }),
  ).rejects.toThrow(/expected what save/)
})

test('weights written and read again answer the same bits, heads and affine included', async () => {
  const model = await load('grouped-tied', HEADS)
  await learn(model, 0)
  await engine.setAffine(model, [{ mean: 0.25, scale: 3 }])
  const want: Output[] = ['logprobs', 'values', 'scores']
  const answers = await engine.forward(model, [[SCORED]], want, PASS)
  const saved = await engine.save(model, 'weights', join(folder, 'w'))
  expect(saved.files.map((f) => f.path)).toContain('hone-heads.safetensors')
  const config = readConfig(saved.folder)
  expect(config.architecture).toBe('LlamaForSequenceClassification')
  expect(config.labels).toEqual(['helpful'])
  const read = await engine.load({ from: { weights: saved.folder }, trains: 'nothing' })
  loaded.push(read)
  expect(await engine.forward(read, [[SCORED]], want, PASS)).toEqual(answers)
})

test('a reward model drops the output layer of an untied model, and says so when log-probabilities are wanted', async () => {
  const model = await load('untied-llama3', { scores: { names: ['a', 'b'], read: 'last' } })
  const saved = await engine.save(model, 'weights', join(folder, 'w'))
  expect([...readFolder(saved.folder).tensors.keys()]).not.toContain('lm_head.weight')
  const read = await engine.load({ from: { weights: saved.folder }, trains: 'nothing' })
  loaded.push(read)
  const [[scores]] = (await engine.forward(read, [[SCORED]], ['scores'], PASS)) as [[{ scores_PH: Float32Array }]]
  expect(scores.scores_PH.length).toBe(2)
  await expect(engine.forward(read, [[SCORED]], ['logprobs'], PASS)).rejects.toThrow(/no lm_head/)
})

test('heads that contradict those of the folder are refused', async () => {
  const model = await load('grouped-tied', HEADS)
  const saved = await engine.save(model, 'weights', join(folder, 'w'))
  const from = { weights: saved.folder }
  const other: HeadSpec = { scores: { names: ['brief'], read: 'sum' } }
  await expect(engine.load({ from, trains: 'all', heads: other })).rejects.toThrow(/holds score heads helpful/)
  const wider: HeadSpec = { value: { hidden: [9], detached: true, init: 'zero' } }
  await expect(engine.load({ from, trains: 'all', heads: wider })).rejects.toThrow(/hidden sizes \[6, 5\]/)
})

test('a folder with a weight too many, or one too few, is refused', async () => {
  const { tensors, config } = readFolder(golden('grouped-tied'))
  const entries = [...tensors].map(([name, { dtype, shape, bytes }]) => ({ name, dtype, shape, bytes }))
  writeFolder({ to: join(folder, 'few'), config, tensors: entries.slice(1) })
  writeFolder({ to: join(folder, 'many'), config, tensors: [...entries, { ...entries[0]!, name: 'model.extra' }] })
  const load = (name: string): Promise<Model> =>
    engine.load({ from: { weights: join(folder, name) }, trains: 'nothing' })
  await expect(load('few')).rejects.toThrow(/but the key is absent/)
  await expect(load('many')).rejects.toThrow(/model.extra: is not a weight of this config/)
})

test('a fresh folder depends on its seed alone, and begins near a uniform guess', async () => {
  const config = { ...readConfig(golden('wide-heads')), dtype: 'float32' as const }
  const a = createFolder({ config, seed: 5, to: join(folder, 'a') })
  const b = createFolder({ config, seed: 5, to: join(folder, 'b') })
  const c = createFolder({ config, seed: 6, to: join(folder, 'c') })
  expect(a.files).toEqual(b.files)
  expect(a.files).not.toEqual(c.files)
  const model = await engine.load({ from: { weights: a.folder }, trains: 'nothing' })
  loaded.push(model)
  const [out] = (await engine.forward(model, [[SCORED]], ['logprobs'], PASS)).flat()
  for (const logprob of out!.logprobs_S!) expect(Math.abs(logprob + Math.log(config.vocabSize))).toBeLessThan(0.5)
})

async function load(name: string, heads?: HeadSpec): Promise<LanguageModel> {
  const model = await engine.load({ from: { weights: golden(name) }, trains: 'all', ...(heads && { heads }), seed: 2 })
  loaded.push(model)
  return model as LanguageModel
}

async function learn(
  model: LanguageModel,
  i: number,
  want: Output[] = ['logprobs', 'values', 'scores'],
): Promise<void> {
  const loss: GroupLoss = (out) => ({
    loss: 0,
    stats: {},
    gradient: out.map((o) => ({
      logprobs_S: o.logprobs_S!.map(() => -1 / (1 + i)),
      ...(o.values_S && { values_S: o.values_S }),
      ...(o.scores_PH && { scores_PH: o.scores_PH }),
    })),
  })
  await engine.forwardBackward(model, [[SCORED, SCORED], [SCORED]], want, loss, PASS)
  await engine.step(model, { body: GROUP, ...(model.heads.length > 0 && { heads: GROUP }) })
}

function bits(model: LanguageModel): number[][] {
  return [...model.body, ...model.heads].flatMap(({ tensor, moments }) =>
    [tensor, moments!.first, moments!.second].map((t) => [...toFloat32(t)]),
  )
}
