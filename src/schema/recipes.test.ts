// Recipe configs: every field says what it is, nothing unknown passes, nothing inert passes.
import { expect, test } from 'vitest'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from './recipes.ts'

const CONFIGS = { SftConfig, RewardConfig, DpoConfig, PpoConfig }

test('an empty config is a whole one, and each field has a sentence', () => {
  for (const [name, config] of Object.entries(CONFIGS)) {
    expect(config.parse({}).learningRate, name).toBeGreaterThan(0)
    for (const [key, field] of Object.entries(config.shape)) {
      expect(field.description, `${name}.${key}`).toMatch(/\w{2,} \w+/)
      const isSet = field.safeParse(undefined)
      expect(isSet.success, `${name}.${key} has a default or may be absent`).toBe(true)
    }
  }
})

test('unknown keys are errors that name them', () => {
  for (const config of Object.values(CONFIGS)) expect(() => config.parse({ learnigRate: 1 })).toThrow(/learnigRate/)
  expect(() => PpoConfig.parse({ topP: 0.9 })).toThrow(/topP/)
})

test('a setting that the others make inert is an error', () => {
  for (const config of [SftConfig, RewardConfig, DpoConfig])
    expect(() => config.parse({ epochs: 1, steps: 5 })).toThrow(/epochs would be ignored/)
  expect(() => SftConfig.parse({ replayWeight: 0.5 })).toThrow(/replayWeight would be ignored/)
  expect(SftConfig.parse({ replayWeight: 0.5, replayShare: 0.3 }).replayWeight).toBe(0.5)
  expect(() => RewardConfig.parse({ tieRate: 0.2 })).toThrow(/tieRate would be ignored/)
  expect(RewardConfig.parse({ ties: 'davidson', tieRate: 0.2 }).tieRate).toBe(0.2)
  expect(() => PpoConfig.parse({ klHorizon: 5 })).toThrow(/klHorizon would be ignored/)
  expect(() => PpoConfig.parse({ klControl: 'adaptive' })).toThrow(/needs klTarget/)
  expect(PpoConfig.parse({ klControl: 'adaptive', klTarget: 3 }).klTarget).toBe(3)
  expect(() => PpoConfig.parse({ steps: 2 })).toThrow(/never learn/)
  expect(() => PpoConfig.parse({ klBudget: 0.5 })).toThrow(/no mark/)
})

test('configs round-trip through JSON', () => {
  for (const config of Object.values(CONFIGS))
    expect(config.parse(JSON.parse(JSON.stringify(config.parse({}))))).toEqual(config.parse({}))
})
