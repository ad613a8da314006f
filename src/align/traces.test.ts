// Twenty steps of each recipe against the same twenty in PyTorch (scripts/goldens/traces.py), every figure of every step.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type RecipeName, tracedRun } from '../../trials/worlds/traced.ts'

const goldens = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens/traces.json'), 'utf8')) as Record<
  RecipeName,
  Record<string, number>[]
>

test.each([
  'sft',
  'reward',
  'dpo',
  'ppo',
] satisfies RecipeName[])('%s: twenty steps equal those of PyTorch', async (name) => {
  const { metrics } = await tracedRun(name)
  expect(goldens[name]).toHaveLength(20)
  expect(metrics).toHaveLength(20)
  goldens[name].forEach((row, step) => {
    for (const [key, want] of Object.entries(row)) {
      const got = metrics[step]![key]!
      expect(Math.abs(got - want), `step ${step + 1}, ${key}: ${got} for ${want}`).toBeLessThanOrEqual(
        1e-4 * Math.abs(want) + 1e-9,
      )
    }
  })
})
