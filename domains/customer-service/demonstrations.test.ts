// Rows are the same for the same seed; planted faults are what they say; customers stay in their split.
import { expect, test } from 'vitest'
import { Demonstration } from '#schema'
import { demonstrations, heldOutDemonstrations } from './demonstrations.ts'
import { gold } from './gold.ts'
import { FAULTS } from './knobs.ts'
import { SPLITS, prompts } from './prompts.ts'

const { rows, planted } = demonstrations(1, 2000)
const withFault = (fault: string) =>
  planted.filter((p) => p.fault === fault).map((p) => rows.find((r) => r.id === p.id)!)
const heldOut = heldOutDemonstrations(1, 500)

test('as many rows as asked for, valid, unique ids, equal for equal seeds', () => {
  expect(rows).toHaveLength(2000)
  expect(new Set(rows.map((r) => r.id)).size).toBe(2000)
  for (const row of rows) Demonstration.parse(row)
  expect(demonstrations(1, 2000).rows).toEqual(rows)
  expect(demonstrations(2, 2000).rows).not.toEqual(rows)
  expect(rows.every((r) => r.author.startsWith('simulated-expert-'))).toBe(true)
})

test('planted faults are there in their shares', () => {
  expect(withFault('exact-duplicate')).toHaveLength(FAULTS.exactDuplicate * 2000)
  for (const row of withFault('exact-duplicate'))
    expect(rows.filter((r) => r.prompt === row.prompt && r.completion === row.completion).length).toBeGreaterThan(1)
  for (const row of withFault('near-duplicate'))
    expect(rows.filter((r) => r.prompt === row.prompt && r.completion !== row.completion).length).toBeGreaterThan(0)
  const customers = new Set(heldOut.map((r) => r.group))
  const leaked = rows.filter((r) => customers.has(r.group))
  expect(leaked.map((r) => r.id).sort()).toEqual(
    withFault('leaked-customer')
      .map((r) => r.id)
      .sort(),
  )
  expect(withFault('malformed')).toHaveLength(FAULTS.malformed * 2000)
  const violating = rows.filter((r) => gold.read(r.prompt, r.completion).isViolation).map((r) => r.id)
  const known = new Set(planted.filter((p) => p.fault === 'violation' || p.fault === 'malformed').map((p) => p.id))
  expect(violating.every((id) => known.has(id))).toBe(true)
  expect(violating.length).toBeGreaterThan(60)
})

test('held-out rows are clean', () => {
  expect(heldOut).toHaveLength(500)
  expect(heldOut.some((r) => gold.read(r.prompt, r.completion).isViolation)).toBe(false)
})

test('no two splits share a customer, whatever the mix', () => {
  const sets = SPLITS.flatMap((split) =>
    (['natural', 'refund-billing'] as const).map((mix) => prompts(1, { n: 400, split, mix })),
  )
  const owners = new Map<string, number>()
  for (const [i, set] of sets.entries())
    for (const { group } of set) {
      expect(owners.get(group) ?? i).toBe(i)
      owners.set(group, i)
    }
  const limited = prompts(1, { n: 300, split: 'violations', mix: 'refund-billing' })
  expect(new Set(limited.map((p) => p.stratum))).toEqual(new Set(['refund', 'billing']))
  expect(limited.every((p) => gold.readPrompt(p.prompt).limit !== undefined)).toBe(true)
})

test('every prompt is read back as its intent, and its decoy differs from the truth', () => {
  for (const { prompt, stratum } of prompts(3, { n: 2000, split: 'rl' })) {
    const s = gold.readPrompt(prompt)
    expect(s.intent.name).toBe(stratum)
    expect(s.decoyValue).not.toBe(s.slots[s.intent.value])
  }
})
