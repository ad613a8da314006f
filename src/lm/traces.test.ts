// Twenty steps of each recipe on a tiny Llama, packed and with shared stems, against the same twenty in PyTorch with
// transformers (scripts/goldens/llama_traces.py): figures of every step, and what has become of every tensor.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Sequence } from '#engine/contract'
import { liveTensors } from '#torch'
import type { Drawn } from '../../trials/worlds/recorded.ts'
import type { RecipeName } from '../../trials/worlds/traced.ts'
import { tracedLlama } from '../../trials/worlds/traced-llama.ts'
import { pack } from './packing.ts'

type Golden = {
  trace: Record<string, number>[]
  /** By model and tensor: norms of the tensor at the end, and of what was added to it. */
  weights: Record<string, Record<string, { norm: number; moved: number }>>
  drawings?: Drawn[][]
}

const goldens = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens/traces.json'), 'utf8')) as Record<
  RecipeName,
  Golden
>

let before = 0
beforeEach(() => {
  before = liveTensors()
})
afterEach(() => expect(liveTensors()).toBe(before))

test.each([
  'sft',
  'reward',
  'dpo',
  'ppo',
] satisfies RecipeName[])('%s: twenty steps equal those of PyTorch', async (name) => {
  const { trace, weights, drawings } = goldens[name]
  const { metrics, start, end, passes } = await tracedLlama(name, drawings)
  expect(passes.some(sharesStems)).toBe(true)
  expect([trace.length, metrics.length]).toEqual([20, 20])
  trace.forEach((row, step) => {
    for (const [key, want] of Object.entries(row)) expectNear(metrics[step]![key]!, want, `step ${step + 1}, ${key}`)
  })
  expect(keysOf(end)).toEqual(keysOf(weights))
  for (const [role, tensors] of Object.entries(weights))
    for (const [key, want] of Object.entries(tensors)) {
      const { values } = end[role]![key]!
      const was = start[role]![key]!.values
      expectNear(norm(values), want.norm, `norm of ${role} ${key}`)
      expectNear(norm(values.map((value, i) => value - was[i]!)), want.moved, `change of ${role} ${key}`)
    }
})

function expectNear(got: number, want: number, what: string): void {
  expect(Math.abs(got - want), `${what}: ${got} for ${want}`).toBeLessThanOrEqual(1e-4 * Math.abs(want))
}

function sharesStems(groups: Sequence[][]): boolean {
  const items = groups.flatMap((sequences, group) => sequences.map((sequence, index) => ({ group, index, sequence })))
  return pack(items, 'last', { shares: true }).stems.some((stem) => stem >= 0)
}

function keysOf(models: Record<string, Record<string, unknown>>): string[] {
  return Object.entries(models)
    .flatMap(([role, tensors]) => Object.keys(tensors).map((key) => `${role} ${key}`))
    .sort()
}

function norm(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0))
}
