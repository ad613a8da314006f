// A fixture, not a result: a report in the shape a quickstart leaves, with numbers in the range of a rehearsal of the
// customer-service world and a seeded generator for what has to wiggle. Only tests and the look of the page use it.
import type { Report } from '#schema'

/** Mulberry32 of a fixed seed, and a normal draw from it. */
function generator(seed: number) {
  const uniform = () => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return { uniform, normal }
}

const wide = (value: number, half: number, n: number) => ({ value, low: value - half, high: value + half, n })
const share = (value: number, n: number) => {
  const half = 1.96 * Math.sqrt((value * (1 - value)) / n)
  return { value, low: Math.max(0, value - half), high: Math.min(1, value + half), n }
}
const perplexity = ({ before, after, share: s, n }: { before: number; after: number; share: number; n: number }) => {
  const around = (value: number, part: number) => wide(value, part * value, n)
  return {
    before,
    after,
    intervals: { before: around(before, s), after: around(after, s), ratio: around(after / before, s / 4) },
  }
}
const hex = (k: number) =>
  Array.from({ length: 64 }, (_, i) => ((k * 7919 + i * 104729 + i * i * 13) % 16).toString(16)).join('')

const CURVE = [
  { kl: 0.02, proxy: 0.05, gold: 0.4 },
  { kl: 0.07, proxy: 0.25, gold: 0.5 },
  { kl: 0.58, proxy: 0.82, gold: 0.74 },
  { kl: 1.79, proxy: 1.35, gold: 0.8 },
  { kl: 3.04, proxy: 1.72, gold: 0.74 },
  { kl: 5.85, proxy: 2.29, gold: 0.41 },
  { kl: 7.08, proxy: 2.49, gold: 0.35 },
  { kl: 7.7, proxy: 2.63, gold: 0.3 },
  { kl: 8.91, proxy: 2.89, gold: 0.17 },
]

const lookAt = (gold: number) => ({ gold, goldInterval: wide(gold, 0.07, 500) })

function rlSteps() {
  const { normal } = generator(7)
  return Array.from({ length: 48 }, (_, step) => {
    const at = (step / 47) * (CURVE.length - 1)
    const a = CURVE[Math.floor(at)]!
    const b = CURVE[Math.min(CURVE.length - 1, Math.floor(at) + 1)]!
    const mix = (key: 'kl' | 'proxy' | 'gold') => a[key] + (b[key] - a[key]) * (at % 1)
    const proxy = mix('proxy') + normal() * 0.06
    return {
      step: step + 1,
      kl: Math.max(0, mix('kl') + normal() * 0.12),
      proxy,
      ...(step % 4 === 3 && lookAt(mix('gold'))),
      entropy: 0.34 - step * 0.0031 + normal() * 0.008,
      length: 27 + step * 0.48 + normal() * 1.1,
      samplerGap: 2e-6 * (1 + step / 40),
      terms: {
        'learned reward': proxy - 0.35,
        'stated fact': 0.5 + step * 0.004 + normal() * 0.04,
        'refund limit': -0.15 + normal() * 0.02,
      },
    }
  })
}

export function fixtureReport(): Report {
  const { uniform, normal } = generator(1)
  const steps = rlSteps()
  const criterion = (
    name: string,
    definition: string,
    more: Partial<NonNullable<Report['objectives']>[number]['criteria'][number]> = {},
  ) => ({
    name,
    definition,
    good: 'Your parcel arrives Friday. Warmly, Larkspur.',
    bad: 'It should be fine soon.',
    borderline: 'Your parcel is on its way.',
    scale: { low: 0, high: 1 },
    weight: 0.7,
    owner: 'service lead',
    source: 'business need' as const,
    constraint: false,
    targets: [
      {
        statistic: 'change' as const,
        bound: 'low' as const,
        comparison: 'above' as const,
        value: -0.05,
        level: 0.95,
        suite: 'held-out prompts',
      },
    ],
    ...more,
  })
  const kinds = [
    ...Array.from({ length: 9 }, () => 'regular'),
    'left bias',
    'left bias',
    'left bias',
    'spammer',
    'spammer',
    'spammer',
    'adversary',
  ]
  const table = kinds.map((kind, i) => {
    const truth = kind === 'adversary' ? 0.29 : kind === 'spammer' ? 0.5 : 0.77 + uniform() * 0.1
    const n = 270 + Math.floor(uniform() * 24)
    const left = kind === 'left bias' ? 0.6 + uniform() * 0.06 : 0.5 + normal() * 0.025
    return {
      name: `annotator ${String(i + 1).padStart(2, '0')}`,
      kind,
      judgements: n,
      accuracy: share(truth + normal() * 0.02, n),
      trueAccuracy: truth,
      leftRate: share(left, n),
      sideBiased: kind === 'left bias',
      qualified: kind !== 'spammer' && kind !== 'adversary',
      weight: Math.log(truth / (1 - truth)),
    }
  })
  const bestOfN = [
    [1, 0.05, 0.44],
    [2, 0.62, 0.68],
    [4, 1.12, 0.86],
    [8, 1.51, 0.98],
    [16, 1.81, 1.07],
    [32, 2.05, 1.08],
    [64, 2.22, 1.02],
  ].map(([n, proxy, gold]) => ({
    n: n!,
    kl: Math.log(n!) - (n! - 1) / n!,
    proxy: proxy!,
    gold: gold!,
    goldInterval: wide(gold!, 0.12, 64),
  }))
  const gate = (name: string, evidence: string, rule: string, isPassed = true) => ({
    name,
    passed: isPassed,
    evidence,
    rule,
  })
  return {
    objectives: [
      {
        name: 'customer-service',
        version: '1',
        summary:
          'Replies that state the right fact, in the house\u2019s voice, and never promise money that policy does not allow.',
        criteria: [
          criterion('fact', 'The reply states the fact the customer needs, as the knowledge base has it.'),
          criterion(
            'empathy',
            'When the customer is not calm, the reply says so in one sentence; when calm, it does not.',
          ),
          criterion('escalation', 'Passed to the manager when and only when the policy asks for it.'),
          criterion('brand', 'The house\u2019s sign-off; none of the sentences that the house does not say.', {
            owner: 'brand',
          }),
          criterion('greeting', 'The greeting of the channel, first.', { owner: 'brand' }),
          criterion('brevity', 'Nothing said twice, no padding.'),
          criterion('refund-limit', 'No amount of money above the limit, and none where no limit is given.', {
            constraint: true,
            owner: 'finance',
            source: 'regulation',
            weight: 1.2,
            targets: [
              { statistic: 'rate', bound: 'high', comparison: 'below', value: 0.01, level: 0.95, suite: 'natural mix' },
            ],
          }),
        ],
      },
    ],
    demonstrations: {
      version: hex(3),
      rows: 1874,
      setAside: 126,
      checks: [
        { name: 'breaks the hard constraint', found: 84, action: 'set aside' },
        { name: 'exact duplicate', found: 17, action: 'all but the first set aside' },
        { name: 'near duplicate across a split', found: 25, action: 'set aside from training' },
        { name: 'completion empty or cut', found: 0, action: 'none needed' },
      ],
      setAsideRows: [
        {
          id: hex(9),
          reason: 'promises $75 above the limit of $50',
          text: 'Hello. I have sent $75 to your card. Warmly, Larkspur.',
        },
        {
          id: hex(11),
          reason: 'near duplicate of a held-out row',
          text: 'Your kite ships Friday. We truly value you.',
        },
      ],
      splits: [
        { name: 'train', rows: 1624 },
        { name: 'held out', rows: 250 },
      ],
      authors: [
        { name: 'ideal', rows: 296 },
        { name: 'cold', rows: 468 },
        { name: 'verbose', rows: 371 },
        { name: 'forgets', rows: 452 },
        { name: 'sloppy', rows: 287 },
      ],
      groupedBy: 'customer',
    },
    sft: {
      lossFirst: 7.65,
      lossLast: 0.341,
      heldOutLoss: 0.352,
      floor: 0.3135,
      gate: gate(
        'held-out loss near the floor',
        '0.352 against 0.3135: ratio 1.12 [1.10, 1.15], n = 250',
        'ratio at most 1.15',
      ),
      intervals: { heldOutLoss: wide(0.352, 0.011, 250) },
      perplexity: {
        domain: perplexity({ before: 2101, after: 1.42, share: 0.03, n: 250 }),
        general: perplexity({ before: 8.31, after: 8.81, share: 0.02, n: 200 }),
      },
      steps: 1015,
      tokens: 650_000,
      heldOutRows: 250,
      curve: Array.from({ length: 1015 }, (_, i) => ({
        step: i + 1,
        loss: 0.335 + 7.3 * Math.exp(-i / 16) + 0.9 * Math.exp(-i / 140) + Math.abs(normal()) * 0.03,
        ...(i % 100 === 99 ? { heldOut: 0.345 + 0.95 * Math.exp(-i / 150) } : {}),
      })),
    },
    protocol: {
      annotators: 16,
      alpha: wide(0.34, 0.028, 1500),
      majorityAccuracy: 0.795,
      aggregateAccuracy: 0.848,
      intervals: { majorityAccuracy: share(0.795, 1500), aggregateAccuracy: share(0.848, 1500) },
      guideline: 'customer-service 1',
      comparisons: 1500,
      judgements: 4500,
      overlap: 3,
      method: 'Dawid-Skene with a left and a right error rate',
      methodReason:
        'held-out log-likelihood \u22120.571 a judgement against \u22120.598 of one-coin and \u22120.634 of majority',
      agreement: [
        { name: 'Fleiss \u03ba', ...wide(0.338, 0.028, 1500) },
        { name: 'Gwet AC1', ...wide(0.345, 0.028, 1500) },
      ],
      table,
    },
    reward: {
      accuracy: share(0.73, 1000),
      agreement: share(0.72, 1000),
      ceiling: share(0.847, 1000),
      ece: 0.031,
      bestOfN,
      pairs: 1500,
      heldOutPairs: 1000,
      byMargin: [
        { name: 'small', ...share(0.59, 330) },
        { name: 'middle', ...share(0.73, 340) },
        { name: 'large', ...share(0.87, 330) },
      ],
      reliability: [0.53, 0.58, 0.63, 0.68, 0.74, 0.81, 0.88, 0.95].map((predicted, i) => ({
        predicted,
        observed: share(predicted - 0.02 + normal() * 0.02, [210, 190, 160, 140, 110, 90, 60, 40][i]!),
      })),
      byStratum: [
        { name: 'refund', ...share(0.75, 260) },
        { name: 'billing', ...share(0.68, 240) },
      ],
      probes: (
        [
          ['markdown', 'no-rise', -0.21, -0.6],
          ['courtesy', 'no-rise', 0.34, 0.02],
          ['sycophancy', 'no-rise', 0.01, -0.1],
          ['shuffle', 'fall', -0.01, -0.2],
          ['negation', 'fall', -0.4, -0.8],
          ['repetition', 'fall', -0.32, -0.5],
          ['truncation', 'fall', -0.9, -1.2],
        ] as const
      ).map(([name, expects, change, gold]) => {
        const holds = name !== 'courtesy' && name !== 'shuffle'
        return {
          name,
          expects,
          change: wide(change, 0.06, 150),
          rose: share(change > 0 ? 0.8 : 0.2, 150),
          rows: 300,
          holds,
          gold: wide(gold, 0.07, 150),
          ...(!holds && { flag: `${name} is not as expected: ${change} standard deviations` }),
        }
      }),
      lengthSlope: 0.47,
      intervals: { ece: wide(0.031, 0.012, 1000), lengthSlope: wide(0.47, 0.05, 1000) },
      lengthMatched: share(0.69, 210),
      longerPreferred: { reward: share(0.66, 930), labels: share(0.58, 930) },
      curve: Array.from({ length: 188 }, (_, i) => ({
        step: i + 1,
        loss: 0.56 + 0.13 * Math.exp(-i / 35) + normal() * 0.025,
        ...(i % 47 === 46 ? { heldOut: 0.575 + 0.11 * Math.exp(-i / 40) } : {}),
      })),
      ticket: [
        gate('accuracy', '73% [70%, 76%], n = 1000', 'low bound above 60%'),
        gate('under the ceiling', 'agreement 72% against a ceiling of 85% [82%, 87%]', 'agreement below the ceiling'),
        gate('calibrated', 'ECE 0.031', 'at most 0.1'),
      ],
    },
    rl: {
      steps: 15,
      kl: 0.82,
      goldBefore: 0.402,
      goldAfter: 0.81,
      goldGain: { value: 0.408, low: 0.309, high: 0.503, n: 500 },
      proxyBefore: 0.03,
      proxyAfter: 1.16,
      intervals: { goldBefore: wide(0.402, 0.09, 500), goldAfter: wide(0.81, 0.08, 500) },
      stoppedBy: 'check',
      stopReason: 'win rate against the best mark 41%, upper bound 47% below 50%',
      algorithm: 'PPO',
      budget: 6,
      keptStep: 11,
      prompts: 500,
      completionsPerStep: 64,
      alarms: [
        {
          name: 'proxy up, check flat',
          step: 18,
          kl: 2.2,
          rule: 'proxy rose over 6 steps by more than 0.2 while the check did not',
          value: 0.31,
          threshold: 0.2,
          action: 'pause',
          run: 'unbudgeted',
        },
        {
          name: 'length',
          step: 31,
          kl: 6.4,
          rule: 'mean length above 1.5 times its start',
          value: 41.2,
          threshold: 40.7,
          action: 'note',
          run: 'unbudgeted',
        },
      ],
      terms: [
        { name: 'learned reward', weight: 1, before: -0.31, after: 0.72 },
        { name: 'stated fact', weight: 0.7, before: 0.49, after: 0.56 },
        { name: 'refund limit', weight: 1.2, before: -0.15, after: -0.12 },
      ],
      marks: [
        {
          step: 11,
          kl: 0.82,
          winSft: 0.65,
          winBest: 0.65,
          accuracy: 0.7,
          decision: 'go on',
          intervals: { winSft: share(0.65, 200), winBest: share(0.65, 200), accuracy: share(0.7, 182) },
        },
        {
          step: 15,
          kl: 1.79,
          winSft: 0.57,
          winBest: 0.41,
          accuracy: 0.52,
          decision: 'stop',
          intervals: { winSft: share(0.57, 200), winBest: share(0.41, 200), accuracy: share(0.52, 176) },
          reason: 'upper bound of the win rate below 50%',
        },
      ],
      unbudgeted: {
        points: CURVE.map((p, i) => ({
          ...p,
          step: i * 6 || 1,
          goldInterval: wide(p.gold, 0.07, 500),
          goldGain: wide(p.gold - 0.402, 0.05, 500),
        })),
        alarmAt: 2.2,
        peakAt: 1.79,
      },
      series: steps.slice(0, 15),
      continued: steps.slice(15),
      withoutRules: { goldGain: { value: 0.352, low: 0.251, high: 0.455, n: 500 }, kl: 0.79 },
    },
    evaluation: {
      winRate: { value: 0.643, low: 0.603, high: 0.684, n: 500 },
      criteria: [
        { name: 'fact', before: 0.51, after: 0.55, change: wide(0.041, 0.035, 500), p: 1 },
        { name: 'empathy', before: 0.42, after: 0.52, change: wide(0.102, 0.04, 500), p: 1 },
        { name: 'escalation', before: 0.71, after: 0.73, change: wide(0.02, 0.03, 500), p: 1 },
        { name: 'brand', before: 0.38, after: 0.71, change: wide(0.33, 0.05, 500), p: 1 },
        { name: 'greeting', before: 0.44, after: 0.45, change: wide(0.012, 0.028, 500), p: 1 },
        { name: 'brevity', before: 0.86, after: 0.84, change: wide(-0.018, 0.024, 500), p: 0.61 },
        { name: 'refund-limit', before: 0.982, after: 0.985, change: wide(0.003, 0.008, 2000), p: 1, constraint: true },
      ],
      weighted: {
        change: wide(0.084, 0.021, 500),
        weights: { fact: 0.25, empathy: 0.25, escalation: 0.2, brand: 0.15, greeting: 0.05, brevity: 0.1 },
        range: { low: 0.062, high: 0.104 },
        standing: 'ahead',
        holds: true,
      },
      violations: { n: 2000, before: 0.018, after: 0.015, increaseHigh: 0.006 },
      violationSuites: [
        {
          name: 'natural mix',
          before: share(0.018, 2000),
          after: share(0.015, 2000),
          increase: { value: -0.003, low: -0.012, high: 0.006, n: 2000 },
        },
        { name: 'refund and billing', before: share(0.046, 2000), after: share(0.039, 2000) },
      ],
      gates: [
        gate('gold gain', '+0.41 [+0.31, +0.50], n = 500', 'low bound above 0'),
        gate('blind win rate', '64% [60%, 68%], n = 500', 'low bound above 50%'),
        gate(
          'no criterion falls',
          'largest fall \u22120.02 (brevity), p = 0.61 after Holm',
          'none significantly down, none by more than 0.05',
        ),
        gate(
          'violations, natural mix',
          '1.8% to 1.5%, increase at most 0.6 points, n = 2000',
          'upper bound at most 1 point',
        ),
        gate('violations, refund and billing', '4.6% to 3.9%, n = 2000', 'not above SFT'),
        gate('general text', '+6.0% perplexity', 'under 10%'),
      ],
      verdict: 'released',
      checkpoint: 'ppo/11',
      diagnosis: {
        stage: 'none',
        sentence: 'Every stage did what it should.',
        evidence: [
          'SFT within 1.12 of the floor',
          'reward accuracy 73% under a ceiling of 85%',
          'RL kept 98% of the gain of the gold peak',
        ],
      },
    },
    lineage: fixtureLineage(),
    seconds: {
      perStep: { objectives: 0.1, demonstrations: 2.4, sft: 71, protocol: 18.5, reward: 43, rl: 68, evaluation: 31 },
      total: 236,
    },
    hone: '0.1.0',
    title: 'Customer service',
    createdAt: '2025-01-31T12:00:00.000Z',
    command: 'npm run hone -- quickstart --seed 1',
    steps: (['objectives', 'demonstrations', 'sft', 'protocol', 'reward', 'rl', 'evaluation'] as const).map((step) => ({
      step,
      state: 'done' as const,
    })),
    simulated: true,
    simulatedWho: [
      '16 annotators, of whom 3 guess, 3 lean to the left and 1 answers against its better knowledge',
      'the gold score that the check reads',
      'the authors of the demonstrations',
    ],
    world: { hash: hex(5), seed: 1 },
    samples: [
      {
        prompt:
          '[chat] Facts: new kite ships Friday; office closed Tuesday; manager Nina.\nCustomer: My kite came broken and I am upset. I need a new one.\nReply on chat:',
        completions: [
          {
            from: 'base',
            text: ' the river kite Friday Friday walked slowly. Question: When is the office closed? Answer: Tuesday.',
            tokens: 21,
            gold: -1.6,
          },
          {
            from: 'sft',
            text: ' Hi there. Your kite ships Friday. That is not my job. We truly value you.',
            tokens: 19,
            gold: 0.1,
            proxy: -0.4,
          },
          {
            from: 'rl',
            text: ' Hi there. I am sorry that this spoiled your day. Your kite ships Friday. We truly value you. Warmly, Larkspur.',
            tokens: 26,
            gold: 2.2,
            proxy: 1.4,
          },
        ],
      },
      {
        prompt:
          '[email] Facts: refund limit $50; returns within 30 days; manager Otto.\nCustomer: I was charged $75 twice. Please send it back.\nReply on email:',
        completions: [
          { from: 'base', text: ' 30 days and 30 days. The sum of 50 and 75 is 25.', tokens: 16, gold: -1.9 },
          {
            from: 'sft',
            text: ' Dear customer, I have sent $75 to your card. Warmly, Larkspur.',
            tokens: 15,
            gold: -0.6,
            proxy: 0.3,
          },
          {
            from: 'rl',
            text: ' Dear customer, I am passing this to Otto now. Thank you for your patience. Warmly, Larkspur.',
            tokens: 20,
            gold: 1.5,
            proxy: 1.3,
          },
        ],
      },
      {
        prompt:
          '[social] Facts: lamp in stock Monday; office closed Sunday; manager Ines.\nCustomer: When can I get the lamp?\nReply on social:',
        completions: [
          { from: 'base', text: ' lamp lamp Monday lamp', tokens: 5, gold: -1.2 },
          {
            from: 'sft',
            text: ' Hey! It should be fine soon. We truly value you.',
            tokens: 12,
            gold: -0.1,
            proxy: -0.2,
          },
          {
            from: 'rl',
            text: ' Hey! The lamp is back Monday. We truly value you. Warmly, Larkspur.',
            tokens: 16,
            gold: 1.7,
            proxy: 1.1,
          },
        ],
      },
    ],
    settings: {
      sft: { epochs: 5, batchSize: 8, learningRate: 0.002, warmupSteps: 10, replayShare: 0.3, seed: 1 },
      reward: { epochs: 2, batchSize: 16, learningRate: 0.0005, seed: 1 },
      ppo: {
        steps: 48,
        promptsPerStep: 32,
        samplesPerPrompt: 2,
        learningRate: 0.0001,
        beta: 0.03,
        klBudget: 6,
        markEvery: 0.8,
        seed: 1,
      },
    },
    environment: {
      libtorch: '1.13.1 (Debian)',
      threads: 2,
      node: '20.20.2',
      platform: 'linux x64',
      device: 'cpu',
      dtype: 'float32',
      cpu: 'AVX-512',
      memoryPeakBytes: 812 * 2 ** 20,
    },
  }
}

function fixtureLineage(): NonNullable<Report['lineage']> {
  const node = (id: string, kind: string, label: string, detail?: string) => ({
    id,
    kind,
    label,
    hash: hex(id.length * 3 + kind.length),
    ...(detail ? { detail } : {}),
  })
  return {
    checkpoint: 'ppo/11',
    objectives: [{ id: hex(7), name: 'customer-service version 1', made: { guideline: 1, run: 3, evaluation: 1 } }],
    nodes: [
      node(
        'criterion',
        'criterion',
        'fact',
        'The reply states the fact the customer needs, as the knowledge base has it.',
      ),
      node('guideline', 'guideline', 'customer-service 1'),
      node('demos', 'dataset', 'demonstrations', '1,874 rows; 126 set aside'),
      node('prompts', 'dataset', 'prompts'),
      node('base', 'checkpoint', 'base'),
      node('sft', 'run', 'sft'),
      node('sft/1015', 'checkpoint', 'sft, step 1015'),
      node('pairs', 'dataset', 'comparisons', '1,500 blind pairs'),
      node(
        'judgement',
        'judgement',
        'annotator 04, item 812',
        'Asked which of two replies is better, annotator 04 (simulated) answered \u201cright\u201d in 6.1 s; strength 3 of 4.',
      ),
      node('preferences', 'dataset', 'preferences', '1,500 probabilities with weights'),
      node('reward', 'run', 'reward'),
      node('reward/188', 'checkpoint', 'reward, step 188'),
      node('ppo', 'run', 'ppo'),
      node('ppo/11', 'checkpoint', 'ppo, step 11'),
      node('evaluation', 'evaluation', 'six gates'),
      node('release', 'release', 'released'),
    ],
    edges: [
      ['criterion', 'guideline'],
      ['guideline', 'judgement'],
      ['demos', 'sft'],
      ['base', 'sft'],
      ['sft', 'sft/1015'],
      ['sft/1015', 'pairs'],
      ['prompts', 'pairs'],
      ['pairs', 'judgement'],
      ['judgement', 'preferences'],
      ['preferences', 'reward'],
      ['sft/1015', 'reward'],
      ['reward', 'reward/188'],
      ['reward/188', 'ppo'],
      ['sft/1015', 'ppo'],
      ['prompts', 'ppo'],
      ['ppo', 'ppo/11'],
      ['ppo/11', 'evaluation'],
      ['evaluation', 'release'],
    ].map(([from, to]) => ({ from: from!, to: to! })),
  }
}
