// Healthy figures and faults after those of a rehearsal in which all steps ran on three seeds.
import { expect, test } from 'vitest'
import { Report } from '#schema'
import { generator } from '#stats'
import { fixtureReport } from '../../tests/report-fixture.ts'
import { diagnose } from './diagnose.ts'
import { type Facts, gatherFacts, type RlFacts } from './facts.ts'

const around = (value: number, half = 0.03, n = 1000) => ({ value, low: value - half, high: value + half, n })

/** Learning as it goes well: KL to about 1.5 nats in 16 steps, reward up by 1, both noisy. */
function series(
  seed: number,
  { steps = 16, klSlope = 0.1, rewardSlope = 0.07, entropyFall = 0.01 } = {},
): RlFacts['series'] {
  const random = generator(seed)
  return Array.from({ length: steps }, (_, i) => ({
    step: i + 1,
    kl: Math.max(0, klSlope * i * (1 + 0.2 * random.normal())),
    reward: rewardSlope * i + 0.08 * random.normal(),
    entropy: 0.4 * (1 - entropyFall * i),
    ratioMax: 2 + random.uniform(),
    clipFraction: 0.1,
    explainedVariance: 0.3 * random.normal(),
    skipped: 0,
  }))
}

function healthy(seed: number): Facts {
  const random = generator(seed + 100)
  const jitter = (x: number, by: number) => x * (1 + by * (2 * random.uniform() - 1))
  const floor = jitter(0.315, 0.02)
  return {
    sft: {
      heldOutBefore: jitter(7.7, 0.02),
      heldOut: floor * jitter(1.15, 0.05),
      floor,
      trainLoss: floor * jitter(1.1, 0.05),
      curve: [7.7, 0.6, 0.45, 0.39, 0.37, 0.365],
      promptGain: around(jitter(0.4, 0.3)),
      generalRatio: jitter(1.05, 0.03),
      gatePassed: true,
      endedShare: 0.99,
    },
    reward: {
      alpha: around(jitter(0.2, 0.3), 0.03),
      agreement: around(jitter(0.68, 0.05)),
      ceiling: around(jitter(0.85, 0.02)),
      trainAccuracy: jitter(0.74, 0.03),
      ece: jitter(0.06, 0.5),
    },
    rl: { series: series(seed), budget: 6, beta: 0.03, lastWin: around(0.58, 0.07, 120) },
    winRate: around(jitter(0.6, 0.03), 0.04),
  }
}

const seeds = [1, 2, 3, 4, 5]

test('no healthy run is accused, not even one whose evaluation is too small to show the gain', () => {
  for (const seed of seeds) {
    expect(diagnose(healthy(seed)).stage).toBe('none')
    expect(diagnose({ ...healthy(seed), winRate: around(0.53, 0.06) }).stage).toBe('none')
  }
})

test('a reward model without its ticket is suspected once the outcome is bad', () => {
  const { reward, ...facts } = healthy(1)
  const bold = { ...facts, reward: { ...reward, withoutTicket: true } }
  expect(diagnose(bold)).toMatchObject({ stage: 'none' })
  const bad = diagnose({ ...bold, winRate: around(0.5) })
  expect(bad).toMatchObject({ stage: 'reward', nextAction: expect.stringMatching(/held-out pairs/) })
  expect(bad.evidence.join()).toContain('it entered RL without its ticket')
})

const sftFaults: Record<string, (facts: Facts) => Facts> = {
  'a tenth of the training': (f) => ({
    ...f,
    sft: { ...f.sft, heldOut: 0.68, trainLoss: 0.7, curve: [7.7, 3, 1.4, 0.68] },
  }),
  'shuffled demonstrations, no floor known': ({ sft, ...f }) => ({
    ...f,
    sft: { heldOutBefore: sft!.heldOutBefore!, heldOut: 0.66, trainLoss: 0.64, promptGain: around(0.01, 0.01) },
  }),
  'corrupted demonstrations, no floor known': ({ sft, ...f }) => ({
    ...f,
    sft: { heldOutBefore: sft!.heldOutBefore!, heldOut: 0.9, trainLoss: 2.1 },
  }),
  'a learning rate that diverged half way, so that annotators find nothing to choose between': (f) => ({
    ...f,
    sft: { heldOutBefore: 10.5, heldOut: 2.1, promptGain: around(0.144, 0.029), curve: [10.5, 4.1, 2.52, 2.1] },
    reward: { ...f.reward, alpha: around(0.096, 0.05), agreement: around(0.551, 0.075) },
  }),
  'a learning rate that teaches nothing': ({ sft, ...f }) => ({
    ...f,
    sft: { heldOutBefore: sft!.heldOutBefore!, heldOut: 7.1 },
  }),
}
const rewardFaults: Record<string, (facts: Facts) => Facts> = {
  'permuted judgements': (f) => ({ ...f, reward: { ...f.reward, agreement: around(0.51) } }),
  'flipped judgements': (f) => ({ ...f, reward: { ...f.reward, agreement: around(0.33) } }),
  'two fifths flipped': (f) => ({ ...f, reward: { ...f.reward, agreement: around(0.56) } }),
  'most annotators guess, and yet the outcome is good': (f) => ({
    ...f,
    reward: { ...f.reward, alpha: around(0.051, 0.05, 597), agreement: around(0.477, 0.1, 86) },
  }),
  'judgements permuted before aggregation': (f) => ({
    ...f,
    reward: { ...f.reward, alpha: around(0.01), agreement: around(0.55, 0.06) },
  }),
}
/** As they were in real runs of this fault, `npm run trials -- diagnosis`. */
const STOPPED_AT_ONCE = {
  kl: [0, 0, 0, 0.71, 3.98],
  ratioMax: [1, 1, 8.8, 16.5, 322.9],
  reward: [0.1, -0.1, 0.25, 0.55, 1.09],
}
const rlFaults: Record<string, (facts: Facts, seed: number) => Facts> = {
  'the wrong sign': (f, seed) => ({
    ...f,
    winRate: around(0.4),
    rl: { ...f.rl!, series: series(seed, { rewardSlope: -0.07 }) },
  }),
  'thirty times the learning rate': (f, seed) => ({
    ...f,
    winRate: around(0.3),
    rl: { ...f.rl!, series: series(seed, { klSlope: 1.2 }) },
  }),
  'so fast that the first mark stops it': (f, seed) => ({
    ...f,
    winRate: around(0.5),
    rl: { ...f.rl!, series: series(seed, { klSlope: 1.5, steps: 4 }) },
  }),
  'thirty times the learning rate, stopped by the budget before its KL shows, not yet worse': (f) => ({
    ...f,
    rl: {
      series: STOPPED_AT_ONCE.kl.map((kl, i) => ({
        step: i + 1,
        kl,
        reward: STOPPED_AT_ONCE.reward[i]!,
        ratioMax: STOPPED_AT_ONCE.ratioMax[i]!,
      })),
      budget: 4,
      beta: 0.03,
      markKl: 18.3,
    },
  }),
  'no KL at all': (f, seed) => ({
    ...f,
    winRate: around(0.45),
    rl: { series: series(seed, { steps: 48, klSlope: 0.3 }), budget: null, beta: 0, lastWin: around(0.42, 0.05) },
  }),
  'entropy collapsed': (f, seed) => ({ ...f, rl: { ...f.rl!, series: series(seed, { entropyFall: 0.062 }) } }),
}

for (const [stage, faults] of [
  ['sft', sftFaults],
  ['reward', rewardFaults],
  ['rl', rlFaults],
] as const)
  for (const [name, plant] of Object.entries(faults))
    test(`${stage}: ${name} is found on every seed, with evidence and an action`, () => {
      for (const seed of seeds) {
        const diagnosis = diagnose(plant(healthy(seed), seed))
        expect(diagnosis.stage).toBe(stage)
        expect(diagnosis.evidence.length).toBeGreaterThan(1)
        expect(diagnosis.nextAction).toBeTruthy()
        expect(diagnosis.sentence).toMatch(/is at fault: .*\.$/)
      }
    })

test('the earliest faulty stage is named, and what the later ones show is kept as evidence', () => {
  const facts = rlFaults['the wrong sign']!(rewardFaults['permuted judgements']!(healthy(1)), 1)
  const { stage, evidence } = diagnose(facts)
  expect(stage).toBe('reward')
  expect(evidence.some((line) => line.startsWith('RL: '))).toBe(true)
})

test('few held-out pairs accuse nobody by themselves; nothing at all is said to be nothing', () => {
  const unsure = { reward: { agreement: around(0.58, 0.12, 60) } }
  expect(diagnose(unsure).stage).toBe('none')
  expect(diagnose({ ...unsure, winRate: around(0.5) }).stage).toBe('reward')
  expect(diagnose({}).sentence).toMatch(/^Nothing to diagnose/)
})

test('facts are read from run files, whose names are those of the recipes’ metrics', () => {
  const facts = gatherFacts({
    sft: {
      config: {},
      metrics: [
        { step: 0, heldOutLoss: 7 },
        { step: 1, loss: 3 },
        { step: 2, loss: 1, heldOutLoss: 0.9 },
      ],
    },
    reward: {
      config: {},
      metrics: [
        { step: 1, loss: 0.7, accuracy: 0.5 },
        { step: 2, loss: 0.6, accuracy: 0.7 },
      ],
    },
    rl: {
      config: { klBudget: 'off', beta: 0 },
      metrics: [
        { step: 1, kl: 0.1, score: 2, 'reward.learned': 0.5, entropy: 0.4 },
        { step: 2, kl: null, score: 3 },
      ],
    },
  })
  expect(facts.sft).toEqual({ curve: [7, 0.9], heldOut: 0.9, heldOutBefore: 7, trainLoss: 1 })
  expect(facts.reward).toEqual({ trainAccuracy: 0.7 })
  expect(facts.rl).toEqual({ series: [{ step: 1, kl: 0.1, reward: 0.5, entropy: 0.4 }], budget: null, beta: 0 })
})

test('what a report says of a liking for length reaches the reward model’s findings', () => {
  const report = Report.parse(fixtureReport())
  report.reward!.longerPreferred = { reward: around(0.8), labels: around(0.55) }
  const { evidence } = diagnose({ ...gatherFacts({ report }), winRate: around(0.5) })
  expect(evidence.join('\n')).toMatch(/prefers the longer completion in 0\.8 \[/)
})

test('scores that are far too sure are told as they were scored, whatever a temperature makes of them', () => {
  const report = Report.parse(fixtureReport())
  const tellsSo = (reward: { ece: number; eceAsScored?: number }) => {
    Object.assign(report.reward!, { eceAsScored: undefined }, reward)
    return /as scored, are off by 0\.2 /.test(
      diagnose({ ...gatherFacts({ report }), winRate: around(0.5) }).evidence.join('\n'),
    )
  }
  expect(tellsSo({ ece: 0.02, eceAsScored: 0.2 })).toBe(true)
  expect(tellsSo({ ece: 0.2 })).toBe(true)
  expect(tellsSo({ ece: 0.02, eceAsScored: 0.08 })).toBe(false)
})
