// The chain with adapters: SFT leaves one, the reward model and PPO go on from it, the reference is the frozen one of SFT,
// all on one base; stopped and resumed, the bytes are those of a run left alone.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createEmbeddedEngine, mergeFolder, readAdapterConfig } from '#lm'
import { closeTemplates } from '#text'
import { liveTensors } from '#torch'
import { admitted, hashesOf, makeSmallFiles, preferLonger, smallJob } from '../../trials/worlds/small-run.ts'
import type { Job } from './jobs.ts'
import { readCard, resolveModel } from './models.ts'
import { resume, train, type TrainOptions } from './train.ts'

const options: TrainOptions = { hone: 'test', judge: preferLonger }
const lora = { rank: 2, alpha: 4, targets: ['all-linear'], isRankStabilised: false }
let root: string
let files: string
const at = (name: string) => join(root, name)
const job = (recipe: Parameters<typeof smallJob>[0], changes: object): Job =>
  admitted({ ...smallJob(recipe, files, { steps: 4, checkpointEvery: 2 }), ...changes } as Job)

beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-lora-'))
  vi.stubEnv('HONE_CACHE', at('cache'))
  files = at('files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  await train(job('sft', { lora, dtype: 'bfloat16' }), at('sft'), options)
  await train(job('reward', { model: at('sft/model') }), at('reward'), options)
})
afterAll(() => {
  vi.unstubAllEnvs()
  closeTemplates()
  fs.rmSync(root, { recursive: true, force: true })
})

test('each run leaves an adapter on the base that it began with, and says how it was trained', () => {
  for (const run of ['sft', 'reward']) {
    const folder = resolveModel(at(run))
    expect(fs.existsSync(join(folder, 'model.safetensors'))).toBe(false)
    const { base, spec, isClassifier } = readAdapterConfig(folder)
    expect(fs.realpathSync(base)).toBe(fs.realpathSync(join(files, 'model')))
    expect(spec).toMatchObject({ rank: 2, alpha: 4 })
    expect(isClassifier).toBe(run === 'reward')
  }
  expect(readCard(at('sft/model'))!.dtype).toBe('bfloat16')
})

test('PPO stands on one base; stopped after every step it ends with the bytes of a run left alone', async () => {
  const model = at('sft/model')
  const ppo = job('ppo', { model, reference: model, reward: at('reward/model') })
  const before = liveTensors()
  const origins = new Set<unknown>()
  const watch: TrainOptions['watch'] = async (_, models) => {
    // Handles of the embedded engine: whose weights each stands on.
    for (const model of Object.values(models) as { weights?: unknown }[]) origins.add(model.weights)
  }
  await train(ppo, at('whole'), { ...options, watch })
  expect(origins.size).toBe(1)
  expect(liveTensors()).toBe(before)
  let trained = await train(ppo, at('stopped'), stopping())
  while (!trained.finished) trained = await resume(at('stopped'), stopping())
  expect(hashesOf(at('stopped'))).toEqual(hashesOf(at('whole')))
})

test('an adapter that trains as it is takes no other settings', async () => {
  const refused = train(job('sft', { lora, model: at('sft/model') }), at('refused'), options)
  await expect(refused).rejects.toThrow(/is an adapter and trains as it is/)
})

test('a base in four bits: SFT, reward and PPO on one packed base, resumed to the same bytes; without adapters it is refused', async () => {
  const packed = { lora, baseDtype: 'nf4', gradientCheckpointing: true }
  await train(job('sft', packed), at('packed-sft'), options)
  const model = at('packed-sft/model')
  expect(readCard(model)).toMatchObject({ baseDtype: 'nf4' })
  await train(job('reward', { model, baseDtype: 'nf4' }), at('packed-reward'), options)
  const ppo = job('ppo', { model, reference: model, reward: at('packed-reward/model'), baseDtype: 'nf4' })
  await train(ppo, at('packed-ppo'), options)
  let trained = await train(ppo, at('packed-stopped'), stopping())
  while (!trained.finished) trained = await resume(at('packed-stopped'), stopping())
  expect(hashesOf(at('packed-stopped'))).toEqual(hashesOf(at('packed-ppo')))
  // The reference is the same adapter on the same numbers: no KL before the first update of the policy.
  const [first] = fs.readFileSync(at('packed-ppo/metrics.jsonl'), 'utf8').split('\n')
  expect(JSON.parse(first!)).toMatchObject({ kl: 0, firstRatioGap: 0 })
  await expect(train(job('sft', { baseDtype: 'nf4' }), at('not-begun'), options)).rejects.toThrow(/nothing would train/)
  expect(fs.existsSync(at('not-begun'))).toBe(false)
})

test('recomputed layers leave the losses that remembered ones leave', async () => {
  await train(job('sft', { lora }), at('remembers'), options)
  await train(job('sft', { lora, gradientCheckpointing: true }), at('recomputes'), options)
  const losses = (run: string) =>
    fs
      .readFileSync(at(`${run}/metrics.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { loss?: number; heldOutLoss?: number }).loss ?? 0)
  const other = losses('remembers')
  losses('recomputes').forEach((loss, i) => expect(loss).toBeCloseTo(other[i]!, 5))
})

test('DPO goes on from the adapter of SFT, and the merged model is one that trains whole', async () => {
  const { outcome } = await train(job('dpo', { model: at('sft/model') }), at('dpo'), options)
  expect(outcome.steps).toBe(4)
  mergeFolder({ from: resolveModel(at('dpo')), to: at('merged') })
  const engine = createEmbeddedEngine()
  await engine.release(await engine.load({ from: { weights: at('merged') }, trains: 'all' }))
})

function stopping(): TrainOptions {
  const controller = new AbortController()
  const onProgress = (event: { kind: string; step: number }) => {
    if (event.kind === 'step' && event.step > 0) controller.abort()
  }
  return { ...options, signal: controller.signal, onProgress }
}
