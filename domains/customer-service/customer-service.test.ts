// The domain as a whole: objective, crowd, suites, hash.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CRITERIA, judgePairs } from '#simulate'
import {
  annotators,
  describeWorld,
  gold,
  guideline,
  objective,
  prompts,
  qualificationItems,
  recipe,
  simulatedCriteria,
  suites,
  worldHash,
} from './index.ts'

test('the objective names the criteria that are measured, and one constraint', () => {
  const names = objective.criteria.filter((c) => !c.constraint).map((c) => c.name)
  expect(names).toEqual([...CRITERIA])
  expect(objective.criteria.filter((c) => c.constraint).map((c) => c.name)).toEqual(['limit'])
  expect(guideline.name).toBe('customer-service/guideline-1')
})

test('what a new project gets are prompts of this world, of customers that no other set has', async () => {
  const rows = prompts(1, { n: 200, split: 'train' })
  const lines = rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  // Made anew by: npx vitest run domains/customer-service -u
  await expect(lines).toMatchFileSnapshot(join(import.meta.dirname, 'prompts.jsonl'))
})

test('qualification tells regular annotators from spammers and the adversary', () => {
  const people = annotators(1)
  const items = qualificationItems(1, 20)
  const rows = judgePairs(items, { gold, annotators: people, overlap: people.length, seed: 1 })
  const accuracy = (kinds: string[]) => {
    const ids = people.filter((a) => kinds.includes(a.kind)).map((a) => a.id)
    const theirs = rows.filter((r) => ids.includes(r.annotator))
    const right = theirs.filter(
      (r) => (r.choice === 'left' ? r.left : r.right) === items.find((i) => i.item === r.item)!.better,
    )
    return right.length / theirs.length
  }
  expect(accuracy(['regular'])).toBeGreaterThan(0.8)
  expect(accuracy(['spammer'])).toBeLessThan(0.7)
  expect(accuracy(['adversary'])).toBeLessThan(0.3)
})

test('suites have their sizes, criteria lie between 0 and 1', () => {
  const made = suites(1, { natural: 30, violations: 40, refundBilling: 50 })
  expect(made.map((s) => s.prompts.length)).toEqual([30, 40, 50])
  for (const { prompt } of made[0]!.prompts)
    for (const value of Object.values(simulatedCriteria(prompt, ' Warmly, Larkspur.')))
      expect(value >= 0 && value <= 1).toBe(true)
})

test('the world has a stable hash and says that it is simulated', () => {
  expect(worldHash()).toMatch(/^[0-9a-f]{64}$/)
  expect(worldHash()).toBe(worldHash())
  expect(describeWorld()[0]).toContain('simulated')
  expect(recipe.gate.lookupAccuracy).toBeGreaterThanOrEqual(0.85)
})
