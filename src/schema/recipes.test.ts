// Recipe configs: every field says what it is, nothing unknown passes, nothing inert passes.
import { expect, test } from 'vitest'
import { readAlarmThresholds } from './alarms.ts'
import { ignoredSettings } from './ignored.ts'
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
  expect(() => PpoConfig.parse({ steps: 5, criticWarmupUntil: 0.5 })).toThrow(/6 steps or more/)
})

test('thresholds of alarms are read from one text, and one that names nothing is an error', () => {
  const alarmThresholds = 'length=3, entropy=0.5,distinct-1=off'
  expect(readAlarmThresholds(PpoConfig.parse({ alarmThresholds }).alarmThresholds)).toEqual({
    length: 3,
    entropy: 0.5,
    'distinct-1': 'off',
  })
  expect(readAlarmThresholds(undefined)).toEqual({})
  const wrong = { 'lenght=3': /a name of length/, 'length=x': /a number of 0 or more, or off/, 'length=': /a number/ }
  const more = {
    'length=1=2': /a number/,
    'length=1,length=2': /given twice/,
    'non-finite=off': /a name of/,
    '': /NAME/,
  }
  for (const [text, message] of Object.entries({ ...wrong, ...more }))
    expect(() => PpoConfig.parse({ alarmThresholds: text }), text).toThrow(message)
})

test('a setting that was given and has nothing to work on is named with what it lacks; a default is not', () => {
  const of = (recipe: 'sft' | 'ppo', given: object, inputs: object = {}) => {
    const config = (recipe === 'sft' ? SftConfig : PpoConfig).parse(given)
    return ignoredSettings(recipe, { ...inputs, config }, { given: Object.keys(given) }).map(({ message }) => message)
  }
  expect(of('sft', {})).toEqual([])
  expect(of('sft', { evalEvery: 10 })).toEqual(['evalEvery would be ignored without heldOut'])
  expect(of('sft', { evalEvery: 10, schedule: 'linear', floor: 0.1 }, { heldOut: 'h.jsonl' })).toEqual([])
  expect(of('sft', { steps: 4, warmupSteps: 4, floor: 0.1 })).toEqual([
    'floor would be ignored without more steps than warmupSteps',
  ])
  const watching = { samplesEvery: 5, samplesMaxTokens: 9, samplesTemperature: 0 }
  expect(of('sft', watching)).toEqual(Object.keys(watching).map((name) => `${name} would be ignored without watch`))
  expect(of('sft', watching, { watch: 'w.jsonl' })).toEqual([])
  expect(Object.keys(SftConfig.parse({}))).not.toContain('samplesEvery')
  const watched = { samplesEvery: 5, markEvery: 1, markPairs: 9, markLevel: 0.8 }
  expect(of('ppo', watched, { judge: 'terminal', watch: 'w.jsonl' })).toEqual([])
  expect(of('ppo', watched)).toEqual(
    ['samplesEvery would be ignored without watch'].concat(
      ['markEvery', 'markPairs', 'markLevel'].map((name) => `${name} would be ignored without judge`),
    ),
  )
  expect(of('ppo', { schedule: 'cosine' })).toEqual(['schedule would be ignored without floor below 1'])
  expect(of('ppo', { schedule: 'cosine', floor: 0 })).toEqual([])
  expect(of('ppo', { updateEpochs: 1, minibatches: 1, clipRatio: 0.3, clipValue: 0.3 })).toHaveLength(2)
  expect(of('ppo', { updateEpochs: 2, minibatches: 1, clipRatio: 0.3 })).toEqual([])
  expect(of('ppo', { klBudget: 'off', onAlarm: 'pause' })).toHaveLength(1)
  expect(of('ppo', { klBudget: 'off', onAlarm: 'pause' }, { judge: 'terminal' })).toEqual([])
})

test('configs round-trip through JSON', () => {
  for (const config of Object.values(CONFIGS))
    expect(config.parse(JSON.parse(JSON.stringify(config.parse({}))))).toEqual(config.parse({}))
})
