// What the critic of PPO begins as: the reward model's body (Ouyang et al., arXiv 2203.02155, appendix C.4), or the policy's.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeSmallFiles, smallJob } from '../../trials/worlds/small-run.ts'
import { readSafetensors, writeSafetensors } from '../lm/safetensors.ts'
import type { PpoJob } from './jobs.ts'
import { CARD } from './models.ts'
import { train } from './train.ts'

let root: string
beforeAll(async () => {
  root = fs.mkdtempSync(join(tmpdir(), 'hone-critic-'))
  await makeSmallFiles(root)
  // Small reward models have the body of their base: this one gets one of its own.
  const file = join(smallReward(), 'model.safetensors')
  const { metadata, tensors } = readSafetensors(file)
  const entries = [...tensors].map(([name, { dtype, shape, bytes }]) => {
    const values = new Float32Array(bytes().buffer).map((x) => (name === 'score.weight' ? x : 1.25 * x))
    return { name, dtype, shape, bytes: new Uint8Array(values.buffer) }
  })
  writeSafetensors(file, entries, metadata)
})
afterAll(() => fs.rmSync(root, { recursive: true, force: true }))

const smallReward = (): string => (smallJob('ppo', root, { steps: 2, checkpointEvery: 2 }) as PpoJob).reward!
const bytesOf = (folder: string): Map<string, string> => {
  const { tensors } = readSafetensors(join(folder, 'model.safetensors'))
  return new Map([...tensors].map(([name, tensor]) => [name, Buffer.from(tensor.bytes()).toString('base64')]))
}

test.each([
  'reward',
  'model',
] as const)('the critic begins as the body of --critic-from %s, bit for bit', async (criticFrom) => {
  const { judge: _, withoutTicket: __, ...job } = smallJob('ppo', root, { steps: 2, checkpointEvery: 2 }) as PpoJob
  const accuracy = { value: 0.7, low: 0.6, high: 0.8 }
  fs.writeFileSync(join(job.reward!, CARD), JSON.stringify({ reward: { range: { low: -1, high: 1 }, accuracy } }))
  // Too little to move any weight: what the run leaves is what it began with.
  const config = { ...job.config, criticLearningRate: 1e-30 }
  const { folder } = await train({ ...job, criticFrom, config }, join(root, `run-${criticFrom}`), { hone: 'test' })
  const critic = bytesOf(join(folder, 'checkpoints/000002/critic'))
  const [own, other] = criticFrom === 'reward' ? [job.reward!, job.model] : [job.model, job.reward!]
  const shared = [...bytesOf(own)].filter(([name]) => name !== 'score.weight')
  expect(shared.length).toBeGreaterThan(5)
  for (const [name, bytes] of shared) expect(critic.get(name) === bytes, name).toBe(true)
  const elsewhere = bytesOf(other)
  expect(shared.some(([name, bytes]) => elsewhere.has(name) && elsewhere.get(name) !== bytes)).toBe(true)
})
