// PPO's checklist, each point a test on the exact engine; marks, the budget and its rules; resuming; and the optimum.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Engine, GroupLoss, Model, Outputs, Sequence } from '#engine'
import { PpoConfig } from '#schema'
import { ppoOptimum } from '../../trials/tabular-optimum.ts'
import { bytesOf, type Ran, runRecipe } from '../../trials/worlds/runner.ts'
import { type SmallWorld, smallWorld } from '../../trials/worlds/tabular.ts'
import type { Resume } from './events.ts'
import { experienceOf } from './experience.ts'
import type { Judge } from './marks.ts'
import { ppo, type PpoInput } from './ppo.ts'
import { learnedReward, type RewardTerm } from './terms.ts'

let world: SmallWorld
beforeEach(async () => {
  world = await smallWorld({ seed: 2, maxTokens: 2 })
})
afterEach(() => world.close())

const SMALL = {
  steps: 5,
  promptsPerStep: 6,
  samplesPerPrompt: 2,
  maxTokens: 2,
  learningRate: 0.02,
  criticWarmupSteps: 1,
  warmupSteps: 2,
  checkpointEvery: 1000,
}
const settings = (o = {}) => PpoConfig.parse({ ...SMALL, klBudget: 'off', ...o })

async function learner(
  engine: Engine = world.engine,
): Promise<Pick<PpoInput, 'engine' | 'policy' | 'reference' | 'critic' | 'prompts' | 'stopTokens'>> {
  const from = { weights: world.weights }
  return {
    engine,
    policy: await engine.load({ from, trains: 'all' }),
    reference: await engine.load({ from, trains: 'nothing' }),
    critic: await engine.load({ from, trains: 'all', heads: { value: { hidden: [], detached: true, init: 'zero' } } }),
    prompts: world.prompts,
    stopTokens: [world.stopToken],
  }
}

/** Policy and critic are one model, with a value head on the policy's trunk. */
async function learnerOfOne(engine: Engine = world.engine) {
  const { critic: model, ...rest } = await learner(engine)
  return { ...rest, policy: model, critic: model }
}

const term = (o: Partial<RewardTerm> = {}): RewardTerm => ({
  name: 'planted',
  weight: 1,
  score: async (rollouts) => rollouts.map((r) => world.rewardOf(r.prompt, r.completion)),
  ...o,
})

const run = (input: PpoInput, answer?: Parameters<typeof runRecipe>[1]['answer']) =>
  runRecipe(ppo(input), { engine: world.engine, folder: world.folder, ...(answer && { answer }) })

type Call = {
  method: 'forward' | 'forwardBackward' | 'step'
  model: Model
  groups: Sequence[][]
  temperature?: number
  gradients: Outputs[][]
  step?: unknown
}

/** The same engine, with every pass and step written down. */
function recorded(engine: Engine): { engine: Engine; calls: Call[] } {
  const calls: Call[] = []
  return {
    calls,
    engine: {
      ...engine,
      forward: (model, groups, want, o) => (
        calls.push({ method: 'forward', model, groups, temperature: o.temperature, gradients: [] }),
        engine.forward(model, groups, want, o)
      ),
      forwardBackward: (model, groups, want, loss, o) => {
        const call: Call = { method: 'forwardBackward', model, groups, temperature: o.temperature, gradients: [] }
        calls.push(call)
        const kept: GroupLoss = (out, g) => {
          const result = (loss as GroupLoss)(out, g)
          call.gradients.push(result.gradient)
          return result
        }
        return engine.forwardBackward(model, groups, want, kept, o)
      },
      step: (model, o) => (
        calls.push({ method: 'step', model, groups: [], gradients: [], step: o }), engine.step(model, o)
      ),
    },
  }
}

describe('checklist', () => {
  test('only response tokens are scored, learnt from, and counted in normalisers', async () => {
    const { engine, calls } = recorded(world.engine)
    const input = { ...(await learner(engine)), config: settings({ steps: 2 }), terms: [term()] }
    await run(input)
    for (const { groups, gradients } of calls)
      groups.forEach(([s], g) => {
        const scored = s!.isScored.reduce((a, b) => a + b, 0)
        expect([...s!.isScored.subarray(0, 2)]).toEqual([0, 0])
        expect(scored).toBe(s!.tokens.length - 2)
        const gradient = gradients[g]?.[0]
        if (gradient) expect((gradient.logprobs_S ?? gradient.values_S)!.length).toBe(scored)
      })
    // A value's gradient is (v - R) / tokens: with v = 0 and one token the mean square gives the loss back.
    expect(calls.filter((c) => c.method === 'forwardBackward').length).toBe(2 * 2 * 2 + 2 * 2)
  })

  test('each sequence is a group of its own', async () => {
    const { engine, calls } = recorded(world.engine)
    await run({ ...(await learner(engine)), config: settings({ steps: 2 }), terms: [term()] })
    for (const { groups } of calls) for (const group of groups) expect(group).toHaveLength(1)
  })

  test('old log-probabilities come from forward of the same groups at the same temperature as the updates', async () => {
    const { engine, calls } = recorded(world.engine)
    const input = {
      ...(await learner(engine)),
      config: settings({ steps: 3, temperature: 0.7, criticWarmupSteps: 0 }),
      terms: [term()],
    }
    await run(input)
    const ofPolicy = calls.filter((c) => c.model === input.policy && c.method !== 'step')
    expect(new Set(calls.map((c) => c.temperature).filter((t) => t !== undefined))).toEqual(new Set([0.7]))
    // A step: two forwards, one a minibatch, then two passes over the same two minibatches; the first pass has the same groups.
    const firstStep = ofPolicy.slice(0, 6)
    expect(firstStep.map((c) => c.method)).toEqual(['forward', 'forward', ...Array<string>(4).fill('forwardBackward')])
    expect(firstStep[2]!.groups).toEqual(firstStep[0]!.groups)
    expect(firstStep[3]!.groups).toEqual(firstStep[1]!.groups)
  })

  test('the first ratio is exactly 1, and an engine for which it is not is refused', async () => {
    const { metrics } = await run({ ...(await learner()), config: settings({ criticWarmupSteps: 0 }), terms: [term()] })
    for (const m of metrics) expect(m.firstRatioGap).toBe(0)
    const engine = world.engine
    const bent: Engine = {
      ...engine,
      forward: async (...a) =>
        (await engine.forward(...a)).map((group) =>
          group.map((out) => ({ ...out, ...(out.logprobs_S && { logprobs_S: out.logprobs_S.map((l) => l - 0.01) }) })),
        ),
    }
    await expect(
      run({ ...(await learner(bent)), config: settings({ criticWarmupSteps: 0 }), terms: [term()] }),
    ).rejects.toThrow(/first ratio/)
  })

  test('the reference is frozen: its weights are the same after the run, and it is never trained', async () => {
    const { engine, calls } = recorded(world.engine)
    const input = { ...(await learner(engine)), config: settings(), terms: [term()] }
    const before = await bytesOf(await world.engine.save(input.reference, 'weights', `${world.folder}/before`))
    await run(input)
    expect(await bytesOf(await world.engine.save(input.reference, 'weights', `${world.folder}/after`))).toBe(before)
    expect(calls.filter((c) => c.model === input.reference && c.method !== 'forward')).toEqual([])
  })

  test('the critic is a model of its own that learns body and heads, alone during its warm-up', async () => {
    const { engine, calls } = recorded(world.engine)
    const input = { ...(await learner(engine)), config: settings({ steps: 4, criticWarmupSteps: 2 }), terms: [term()] }
    const { metrics } = await run(input)
    const steps = calls.filter((c) => c.method === 'step')
    const ofCritic = steps.filter((c) => c.model === input.critic)
    expect(ofCritic).toHaveLength(4 * 4)
    for (const { step } of ofCritic) expect(Object.keys(step as object)).toEqual(['body', 'heads'])
    expect(steps.filter((c) => c.model === input.policy)).toHaveLength(2 * 4)
    expect(metrics.map((m) => m.learningRate! > 0)).toEqual([false, false, true, true])
    expect(metrics.map((m) => m.kl === 0)).toEqual([true, true, true, false])
  })

  test('the critic has to explain so much before the policy learns, and a resumed run knows that it does', async () => {
    const explaining = settings({
      steps: 16,
      promptsPerStep: 40,
      criticWarmupUntil: 0.06,
      clipValue: 5,
      criticHeadLearningRate: 0.1,
    })
    const input = async () => ({ ...(await learner()), config: explaining, terms: [term()] })
    const { metrics, checkpoints, events } = await run(await input(), (step) =>
      step === 10 ? 'checkpoint' : undefined,
    )
    const start = metrics.findIndex((m) => m.learningRate! > 0)
    expect(start).toBeGreaterThan(2)
    expect(start).toBeLessThan(8)
    const means = metrics.map((_, i) => {
      const last = metrics.slice(Math.max(0, i - 2), i + 1)
      return last.length < 3 ? -Infinity : last.reduce((total, m) => total + m.explainedVariance!, 0) / 3
    })
    expect(means.findIndex((m) => m >= 0.06)).toBe(start - 1)
    expect(metrics.slice(0, start).every((m) => m.learningRate === 0)).toBe(true)
    expect(events.filter((e) => e.kind === 'alarm' && e.name === 'critic-untrusted')).toEqual([])
    const asked = checkpoints.find((c) => c.step === 10)!
    const rest = await run({ ...(await resumed(asked)), config: explaining, terms: [term()], resume: asked })
    expect(rest.metrics).toEqual(metrics.slice(10))
  })

  test('a critic that never gets there holds the policy back for half of the steps, and that is said once', async () => {
    const { metrics, events } = await run({
      ...(await learner()),
      config: settings({ steps: 8, criticWarmupUntil: 0.99, criticLearningRate: 1e-9, criticHeadLearningRate: 1e-9 }),
      terms: [term()],
    })
    expect(metrics.map((m) => m.learningRate! > 0)).toEqual([false, false, false, false, true, true, true, true])
    const alarms = events.flatMap((e) => (e.kind === 'alarm' && e.name === 'critic-untrusted' ? [e] : []))
    expect(alarms.map((a) => [a.step, a.threshold])).toEqual([[4, 0.99]])
  })

  test('an alarm with another threshold fires by that, and one that is off is silent', async () => {
    const input = async (alarmThresholds?: string) => ({
      ...(await learner()),
      config: settings({ steps: 10, learningRate: 0.3, ...(alarmThresholds && { alarmThresholds }) }),
      terms: [term()],
    })
    const names = async (thresholds?: string) => {
      const { events } = await run(await input(thresholds))
      return events.flatMap((e) => (e.kind === 'alarm' ? [[e.name, e.threshold]] : []))
    }
    const usual = await names()
    expect(usual).not.toContainEqual(['entropy', 0.99])
    expect(await names('entropy=0.99')).toContainEqual(['entropy', 0.99])
    const off = (await names('entropy=off, kl-jump=off')).map(([name]) => name)
    expect(off).not.toContain('entropy')
  })

  test("on the policy's trunk the critic shares its passes and steps: one of each a minibatch, the first ratio exactly 1", async () => {
    const { engine, calls } = recorded(world.engine)
    const input = {
      ...(await learnerOfOne(engine)),
      config: settings({ steps: 4, criticWarmupSteps: 2 }),
      terms: [term()],
    }
    const { metrics, checkpoints } = await run(input)
    const ofModel = calls.filter((c) => c.model === input.policy)
    const count = (method: Call['method']) => ofModel.filter((c) => c.method === method).length
    expect([count('forward'), count('forwardBackward'), count('step')]).toEqual([4 * 2, 4 * 4, 4 * 4])
    const groupsOf = (steps: Call[]) => steps.map((c) => Object.keys(c.step as object))
    const steps = ofModel.filter((c) => c.method === 'step')
    expect(groupsOf(steps.slice(0, 8))).toEqual(Array.from({ length: 8 }, () => ['heads']))
    expect(groupsOf(steps.slice(8))).toEqual(Array.from({ length: 8 }, () => ['body', 'heads']))
    for (const { gradients } of ofModel.filter((c) => c.method === 'forwardBackward').slice(8))
      for (const [gradient] of gradients) expect(Object.keys(gradient!).sort()).toEqual(['logprobs_S', 'values_S'])
    for (const m of metrics) {
      expect(m.firstRatioGap).toBe(0)
      expect(m.criticNorm).toBeUndefined()
    }
    expect(metrics.map((m) => m.kl === 0)).toEqual([true, true, true, false])
    expect(Object.keys(checkpoints.at(-1)!.saved)).toEqual(['policy'])
  })

  test('one pass with both losses is the two passes of a critic apart: where the tables share nothing, the same run', async () => {
    // Clips far away: the table's two halves have norms of their own. The value head is weighed only against a trunk it shares.
    const config = { steps: 4, criticWarmupSteps: 1, clipNorm: 1e9, epsilon: 1e-30 }
    const apart = await run({ ...(await learner()), config: settings(config), terms: [term()] })
    const together = await run({
      ...(await learnerOfOne()),
      config: settings({ ...config, valueWeight: 0 }),
      terms: [term()],
    })
    const shared = together.metrics.map((m) => Object.keys(m))
    together.metrics.forEach((m, i) =>
      expect(m).toEqual(Object.fromEntries(shared[i]!.map((key) => [key, apart.metrics[i]![key]]))),
    )
    // Adam knows no scale: at any other weight the head learns alike, and the loss told is the unweighted one.
    const weighed = await run({
      ...(await learnerOfOne()),
      config: settings({ ...config, valueWeight: 8 }),
      terms: [term()],
    })
    weighed.metrics.forEach((m, i) => expect(m.valueLoss).toBeCloseTo(apart.metrics[i]!.valueLoss!, 9))
  })

  test('settings of the other kind of critic are refused', async () => {
    const apart = { ...(await learner()), config: settings({ valueWeight: 0.5 }), terms: [term()] }
    await expect(run(apart)).rejects.toThrow(/valueWeight would be ignored/)
    const together = { ...(await learnerOfOne()), config: settings({ criticLearningRate: 1e-3 }), terms: [term()] }
    await expect(run(together)).rejects.toThrow(/criticLearningRate would be ignored/)
  })

  test('a critic learns: on a reward that the prompt decides, explained variance nears 1', async () => {
    const config = settings({
      steps: 15,
      criticWarmupSteps: 14,
      promptsPerStep: 24,
      criticHeadLearningRate: 0.1,
      clipValue: 0.5,
      updateEpochs: 4,
      missingEosPenalty: 0,
    })
    const ofPrompt = term({ score: async (rollouts) => rollouts.map((r) => r.prompt[0]!) })
    const { metrics } = await run({ ...(await learner()), config, terms: [ofPrompt] })
    expect(metrics[0]!.explainedVariance).toBeCloseTo(0, 12)
    expect(metrics.at(-1)!.explainedVariance).toBeGreaterThan(0.9)
  })

  test('a missing end costs min(score, 0) - penalty, and the metric counts it', async () => {
    const flat = term({ score: async (rollouts) => rollouts.map(() => 2) })
    const score = async (missingEosPenalty: number) => {
      const { metrics } = await run({
        ...(await learner()),
        config: settings({ steps: 1, criticWarmupSteps: 0, missingEosPenalty }),
        terms: [flat],
      })
      return { score: metrics[0]!.score!, share: metrics[0]!.noEosShare! }
    }
    const { score: paid, share } = await score(1.5)
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(1)
    expect(paid).toBeCloseTo(2 * (1 - share) - 1.5 * share, 12)
    expect((await score(0)).score).toBe(2)
  })

  test('a completion that was cut off ends there, unless the critic is asked to guess the rest', async () => {
    const critic = { values_S: Float64Array.of(0.5), valueAfter: 3 }
    const logprobs = { logprobs_S: Float64Array.of(-1) }
    const sequence = { tokens: Int32Array.of(1, 2), isScored: Uint8Array.of(0, 1) }
    const observed = [
      { sequence, policy: { ...logprobs, entropies_S: Float64Array.of(1) }, reference: logprobs, critic },
    ]
    const returnOf = (hasEnded: boolean, bootstrapCutOff: boolean) => {
      const rollout = {
        prompt: Int32Array.of(1),
        completion: Int32Array.of(2),
        samplerLogprobs_S: Float64Array.of(-1),
        hasEnded,
      }
      const o = { scores: Float64Array.of(1), beta: 0, gamma: 1, lambda: 1, missingEosPenalty: 0, bootstrapCutOff }
      return experienceOf([rollout], observed, o).experience[0]!.returns_S[0]
    }
    expect(returnOf(false, false)).toBe(1)
    expect(returnOf(true, true)).toBe(1)
    expect(returnOf(false, true)).toBe(4)
    expect(() => settings({ bootstrapCutOff: true })).toThrow(/either unfinished or fined/)
    expect(settings({ bootstrapCutOff: true, missingEosPenalty: 0 }).bootstrapCutOff).toBe(true)
  })

  test('top-p and top-k are refused, and so is a setting that would be ignored', () => {
    for (const o of [
      { topP: 0.9 },
      { topK: 5 },
      { klTarget: 3 },
      { klControl: 'adaptive' },
      { criticWarmupSteps: 5 },
      { markEvery: 7, klBudget: 6 },
      { minibatches: 13 },
      { learningRates: 1 },
    ])
      expect(() => settings(o), JSON.stringify(o)).toThrow()
  })

  test('terms are summed by weight and logged apart; a non-finite score is an error', async () => {
    const terms = [
      term({ name: 'one', weight: 2, score: async (r) => r.map(() => 1) }),
      term({ name: 'length', weight: -0.5, score: async (r) => r.map((x) => x.completion.length) }),
    ]
    const { metrics } = await run({
      ...(await learner()),
      config: settings({ steps: 1, criticWarmupSteps: 0, missingEosPenalty: 0 }),
      terms,
    })
    const m = metrics[0]!
    expect(m['reward.one']).toBe(1)
    expect(m['reward.length']).toBeCloseTo(m.tokensMean!, 12)
    expect(m.score).toBeCloseTo(2 - 0.5 * m.tokensMean!, 12)
    await expect(
      run({ ...(await learner()), config: settings(), terms: [term({ score: async (r) => r.map(() => NaN) })] }),
    ).rejects.toThrow(/finite/)
    await expect(run({ ...(await learner()), config: settings(), terms: [term(), term()] })).rejects.toThrow(
      /different names/,
    )
  })

  test('a learned reward is a term, and the share of its scores out of its training range is counted', async () => {
    const model = await world.engine.load({
      from: { weights: world.weights },
      trains: 'all',
      heads: { scores: { names: ['reward'], read: 'last' } },
    })
    const learned = learnedReward({ engine: world.engine, model, range: { low: 1, high: 2 } })
    const { metrics } = await run({
      ...(await learner()),
      config: settings({ steps: 1, criticWarmupSteps: 0 }),
      terms: [learned],
    })
    expect(metrics[0]!['reward.learned']).toBe(0)
    expect(metrics[0]!['outOfRange.learned']).toBe(1)
  })

  test('the gap between the sampler and training is measured', async () => {
    const { metrics } = await run({ ...(await learner()), config: settings(), terms: [term()] })
    for (const m of metrics) expect(m.samplerGapMax).toBe(0)
    const engine = world.engine
    const noisy: Engine = {
      ...engine,
      async *sample(...a) {
        for await (const e of engine.sample(...a)) yield { ...e, logprobs: e.logprobs.map((l) => l + 0.25) }
      },
    }
    const { metrics: bent, events } = await run({ ...(await learner(noisy)), config: settings(), terms: [term()] })
    expect(bent[0]!.samplerGapMean).toBeCloseTo(0.25, 12)
    expect(events.flatMap((e) => (e.kind === 'alarm' ? [[e.step, e.name]] : []))).toContainEqual([1, 'sampler-gap'])
  })

  test('KL in the metrics: k3 is near k1 over many completions, and the average runs over three steps', async () => {
    const { metrics } = await run({
      ...(await learner()),
      config: settings({ steps: 6, promptsPerStep: 200, learningRate: 0.03, criticWarmupSteps: 0 }),
      terms: [term()],
    })
    const last = metrics.at(-1)!
    expect(last.kl).toBeGreaterThan(0.1)
    expect(Math.abs(last.kl! - last.klK1!)).toBeLessThan(0.1)
    expect(last.klAverage3).toBeCloseTo((metrics.at(-1)!.kl! + metrics.at(-2)!.kl! + metrics.at(-3)!.kl!) / 3, 12)
  })

  test('the adaptive controller raises the price while KL is above its target', async () => {
    const config = settings({
      steps: 12,
      learningRate: 0.1,
      klControl: 'adaptive',
      klTarget: 0.01,
      klHorizon: 100,
      beta: 0.1,
    })
    const { metrics } = await run({ ...(await learner()), config, terms: [term()] })
    expect(metrics.at(-1)!.beta).toBeGreaterThan(0.1)
    expect(metrics[1]!.beta).toBeCloseTo(0.1 * (1 - (0.2 * 12) / 100), 12)
  })

  test('watched prompts are sampled with the same draws each time', async () => {
    const { events } = await run({
      ...(await learner()),
      config: settings({ samplesEvery: 2 }),
      terms: [term()],
      watched: world.prompts,
    })
    const shown = events.flatMap((e) => (e.kind === 'samples' ? [e] : []))
    expect(shown.map((e) => e.step)).toEqual([0, 2, 4, 5])
    expect(shown[0]!.samples.map((s) => s.prompt)).toEqual(world.prompts)
    expect(shown[0]!.samples[0]!.metrics.planted).toBe(
      world.rewardOf(world.prompts[0]!, shown[0]!.samples[0]!.completion),
    )
  })
})

/** A judge who prefers the completion with the higher planted reward, always. */
const planted =
  (direction = 1): Judge =>
  async (pairs) =>
    pairs.map(({ prompt, a, b }) => ({
      probability: direction * (world.rewardOf(prompt, a) - world.rewardOf(prompt, b)) > 0 ? 1 : 0,
    }))

const BUDGETED = {
  steps: 30,
  promptsPerStep: 30,
  learningRate: 0.1,
  klBudget: 2,
  markEvery: 0.2,
  markPairs: 100,
  missingEosPenalty: 0,
  beta: 0,
}

describe('marks and the budget', () => {
  const learned = () => term({ isLearned: true })

  test('an honest reward: marks are won, the run spends its budget, the last mark is kept, every mark was saved first', async () => {
    const purposes: string[] = []
    const judge: Judge = (pairs, purpose) => (purposes.push(purpose), planted()(pairs, purpose))
    const opponents: string[] = []
    const engine: Engine = {
      ...world.engine,
      load: (spec) => {
        if ('resume' in spec.from) opponents.push(spec.from.resume.folder)
        return world.engine.load(spec)
      },
    }
    const { events, outcome, checkpoints } = await run({
      ...(await learner(engine)),
      config: settings(BUDGETED),
      terms: [learned()],
      check: { judge, prompts: world.prompts, launchAccuracy: { value: 0.9, low: 0.8, high: 0.95 } },
    })
    const marks = events.flatMap((e) => (e.kind === 'mark' ? [e.mark] : []))
    expect(marks.length).toBeGreaterThan(2)
    expect(outcome.stoppedBy).toBe('budget')
    for (const mark of marks) {
      expect(mark.decision).toBe('go on')
      expect(mark.accuracy!.value).toBe(1)
      expect(mark.winReference.low).toBeGreaterThan(0.5)
    }
    expect(marks[0]!.winBest).toBeUndefined()
    expect(marks[1]!.against).toBe(marks[0]!.step)
    expect(outcome.kept).toBe(marks.at(-1)!.best)
    const saved = checkpoints.filter((c) => c.reason === 'mark').map((c) => c.step)
    expect(saved).toEqual(marks.map((m) => m.step))
    // The opponent at each mark is the policy that was saved at the mark it is said to be held against.
    const folderOf = (step: number) => checkpoints.find((c) => c.step === step)!.saved.policy!.folder
    expect(opponents).toEqual(marks.slice(1).map((m) => folderOf(m.against)))
    for (const [i, e] of events.entries())
      if (e.kind === 'mark') expect(events[i - 1]).toMatchObject({ kind: 'checkpoint', reason: 'mark' })
    expect(purposes.slice(0, 3)).toEqual([
      `mark-${marks[0]!.step}-reference`,
      `mark-${marks[1]!.step}-reference`,
      `mark-${marks[1]!.step}-best`,
    ])
  })

  test('a reward that is the opposite of what the judge wants: stopped by the check at the first mark, nothing is kept', async () => {
    const { outcome, events } = await run({
      ...(await learner()),
      config: settings(BUDGETED),
      terms: [learned()],
      check: { judge: planted(-1), prompts: world.prompts },
    })
    expect(outcome.stoppedBy).toBe('check')
    expect(outcome.kept).toBeUndefined()
    expect(events.filter((e) => e.kind === 'mark')).toHaveLength(1)
    expect(events.some((e) => e.kind === 'alarm' && e.name === 'worse-than-best')).toBe(true)
  })

  test('a reward model that has become worse than at launch pauses the run, with the figures in the reason', async () => {
    // The judge agrees with the reward on four of ten pairs that it is sure of.
    const judge: Judge = async (pairs, purpose) =>
      (await planted()(pairs, purpose)).map((v, i) => ({
        probability: i % 5 < 2 ? v.probability : i % 5 === 2 ? 0.5 : 1 - v.probability,
        decided: i % 5 !== 2,
      }))
    const launchAccuracy = { value: 0.75, low: 0.7, high: 0.8 }
    const config = settings({ ...BUDGETED, markLevel: 0.999 })
    const { outcome, events } = await run({
      ...(await learner()),
      config,
      terms: [learned()],
      check: { judge, prompts: world.prompts, launchAccuracy },
    })
    expect(outcome).toMatchObject({
      stoppedBy: 'reward-model',
      reason: expect.stringMatching(/reward model is right on 0\.\d+ .*at launch on 0.750/),
    })
    expect(events.some((e) => e.kind === 'alarm' && e.name === 'reward-model-stale')).toBe(true)
  })

  test('the judge sees the policy on either side, no pair of equals, and prompts that marks do not share', async () => {
    const seen: { prompt: Int32Array; a: Int32Array; b: Int32Array }[] = []
    let wonByA = 0
    const judge: Judge = async (pairs, purpose) => {
      seen.push(...pairs)
      const verdicts = await planted()(pairs, purpose)
      wonByA += verdicts.filter((v) => v.probability === 1).length
      return verdicts
    }
    await run({
      ...(await learner()),
      config: settings({ ...BUDGETED, markPairs: 200 }),
      terms: [learned()],
      check: { judge, prompts: world.prompts },
    })
    expect(seen.length).toBeGreaterThan(300)
    for (const { a, b } of seen) expect(String(a)).not.toBe(String(b))
    expect(Math.abs(wonByA / seen.length - 0.5)).toBeLessThan(0.06)
  })

  test('without a judge the budget ends the run and the last policy is kept', async () => {
    const { outcome, metrics, checkpoints } = await run({
      ...(await learner()),
      config: settings(BUDGETED),
      terms: [term()],
    })
    expect(outcome).toMatchObject({ stoppedBy: 'budget', kept: outcome.steps })
    expect(metrics.at(-1)!.klAverage3).toBeGreaterThan(2)
    expect(metrics.at(-2)!.klAverage3).toBeLessThanOrEqual(2)
    expect(checkpoints.at(-1)).toMatchObject({ step: outcome.steps, reason: 'end' })
  })

  test('marks disturb nothing: with and without them, metrics are the same', async () => {
    const config = settings({ ...BUDGETED, klBudget: 'off', steps: 12 })
    const without = await run({ ...(await learner()), config, terms: [learned()] })
    const watched = await run({
      ...(await learner()),
      config,
      terms: [learned()],
      check: { judge: planted(), prompts: world.prompts },
    })
    expect(watched.metrics).toEqual(without.metrics)
    expect(watched.events.some((e) => e.kind === 'mark')).toBe(true)
  })

  test('the budget off continues past the stop: the same prefix, and more', async () => {
    const check = { judge: planted(-1), prompts: world.prompts }
    const stopped = await run({ ...(await learner()), config: settings(BUDGETED), terms: [learned()], check })
    const free = await run({
      ...(await learner()),
      config: settings({ ...BUDGETED, klBudget: 'off' }),
      terms: [learned()],
      check,
    })
    expect(free.outcome).toMatchObject({ stoppedBy: 'steps', steps: 30 })
    expect(free.metrics.slice(0, stopped.metrics.length)).toEqual(stopped.metrics)
    // The same from the checkpoint at the stop.
    const last = stopped.checkpoints.at(-1)!
    const continued = await run({
      ...(await resumed(last)),
      config: settings({ ...BUDGETED, klBudget: 'off' }),
      terms: [learned()],
      check,
      resume: last,
    })
    expect(continued.metrics).toEqual(free.metrics.slice(stopped.metrics.length))
    // Only watched, it is judged until the first alarm: the mark at which the other stopped.
    const marks = (ran: Ran) => ran.events.flatMap((e) => (e.kind === 'mark' ? [e.mark.step] : []))
    expect(marks(free)).toEqual(marks(stopped))
    expect(marks(continued)).toEqual([last.step])
  })

  test('onAlarm pause: a mark is judged where the alarm fires; a budgeted run ends there, another goes on and is judged further', async () => {
    const engine: Engine = {
      ...world.engine,
      async *sample(...a) {
        for await (const e of world.engine.sample(...a)) yield { ...e, logprobs: e.logprobs.map((l) => l + 0.25) }
      },
    }
    const ranWith = async (klBudget: number | 'off', onAlarm: 'pause' | 'note' = 'pause') =>
      run({
        ...(await learner(engine)),
        config: settings({ ...BUDGETED, steps: 4, markEvery: 40, klBudget, onAlarm }),
        terms: [learned()],
        check: { judge: planted(), prompts: world.prompts },
      })
    const budgeted = await ranWith(50)
    expect(budgeted.outcome).toMatchObject({
      stoppedBy: 'alarm',
      steps: 1,
      reason: expect.stringContaining('sampler-gap'),
    })
    const marks = ({ events }: Ran) => events.flatMap((e) => (e.kind === 'mark' ? [e.mark.step] : []))
    expect(marks(budgeted)).toEqual([1])
    const free = await ranWith('off')
    expect(free.outcome).toMatchObject({ stoppedBy: 'steps', steps: 4 })
    // Once for the alarm, though it stays true, and at the end; where alarms are but noted, never after the first.
    expect(marks(free)).toEqual([1, 4])
    const noted = await ranWith('off', 'note')
    expect(noted.outcome).toMatchObject({ stoppedBy: 'steps', steps: 4 })
    expect(marks(noted)).toEqual([])
    expect(noted.metrics).toEqual(free.metrics)
  })

  test('far from the reference marks lie a quarter of the KL apart', async () => {
    const { events } = await run({
      ...(await learner()),
      config: settings({ ...BUDGETED, klBudget: 'off', markEvery: 0.05 }),
      terms: [learned()],
      check: { judge: planted(), prompts: world.prompts },
    })
    const steps = events.flatMap((e) => (e.kind === 'step' ? [e.metrics.klAverage3!] : []))
    const at = events.flatMap((e) => (e.kind === 'mark' ? [steps[e.mark.step - 1]!] : []))
    expect(at.length).toBeGreaterThan(3)
    // The last one is at the end of the run, wherever that is.
    at.slice(1, -1).forEach((kl, i) => expect(kl).toBeGreaterThanOrEqual(1.25 * at[i]! - 1e-9))
  })
})

async function resumed({ saved }: Resume) {
  const { engine } = world
  return {
    ...(await learner()),
    policy: await engine.load({ from: { resume: saved.policy! }, trains: 'all' }),
    critic: await engine.load({ from: { resume: saved.critic! }, trains: 'all' }),
  }
}

describe('resume', () => {
  /** What came after the checkpoint of this step, checkpoints aside: they name models by handle. */
  const after = ({ events }: Ran, step: number) => {
    const at = events.findIndex((e) => e.kind === 'checkpoint' && e.step === step)
    return events.slice(at + 1).filter((e) => e.kind !== 'checkpoint')
  }

  test('continues bit for bit from every step, marks and alarms included', async () => {
    const check = { judge: planted(), prompts: world.prompts, launchAccuracy: { value: 0.9, low: 0.8, high: 0.95 } }
    const input = {
      config: settings({
        ...BUDGETED,
        klBudget: 1,
        checkpointEvery: 1,
        klControl: 'adaptive',
        klTarget: 1,
        beta: 0.01,
        samplesEvery: 2,
      }),
      terms: [term({ isLearned: true })],
      check,
      watched: world.prompts,
    }
    const whole = await run({ ...(await learner()), ...input })
    expect(whole.outcome.stoppedBy).toBe('budget')
    expect(whole.events.filter((e) => e.kind === 'mark').length).toBeGreaterThan(1)
    expect(whole.checkpoints.map((c) => c.step)).toEqual(whole.metrics.map((_, i) => i + 1))
    const last = whole.checkpoints.at(-1)!
    for (const checkpoint of whole.checkpoints.slice(0, -1)) {
      const rest = await run({ ...(await resumed(checkpoint)), ...input, resume: checkpoint })
      expect(after(rest, -1)).toEqual(after(whole, checkpoint.step))
      expect(rest.outcome).toEqual(whole.outcome)
      for (const name of ['policy', 'critic'])
        expect(await bytesOf(rest.checkpoints.at(-1)!.saved[name]!)).toBe(await bytesOf(last.saved[name]!))
    }
  })

  test("with the critic on the policy's trunk there is one model to save, and it continues bit for bit", async () => {
    const config = settings({ steps: 5, checkpointEvery: 1 })
    const whole = await run({ ...(await learnerOfOne()), config, terms: [term()] })
    for (const checkpoint of whole.checkpoints.slice(0, -1)) {
      const model = await world.engine.load({ from: { resume: checkpoint.saved.policy! }, trains: 'all' })
      const input = { ...(await learnerOfOne()), policy: model, critic: model }
      const rest = await run({ ...input, config, terms: [term()], resume: checkpoint })
      expect(after(rest, -1)).toEqual(after(whole, checkpoint.step))
      expect(await bytesOf(rest.checkpoints.at(-1)!.saved.policy!)).toBe(
        await bytesOf(whole.checkpoints.at(-1)!.saved.policy!),
      )
    }
  })

  test("'stop' ends after a checkpoint from which the run goes on", async () => {
    const config = settings({ steps: 4 })
    const whole = await run({ ...(await learner()), config, terms: [term()] })
    const stopped = await run({ ...(await learner()), config, terms: [term()] }, (step) =>
      step === 2 ? 'stop' : undefined,
    )
    expect(stopped.outcome).toMatchObject({ steps: 2, stoppedBy: 'asked', kept: 2 })
    const [checkpoint] = stopped.checkpoints
    const rest = await run({ ...(await resumed(checkpoint!)), config, terms: [term()], resume: checkpoint! })
    expect([...stopped.metrics, ...rest.metrics]).toEqual(whole.metrics)
  })
})

test.each([
  [1, 'model'],
  [2, 'model'],
  [1, 'policy'],
] as const)('PPO attains 0.95 of what can be attained at a fixed beta: seed %i, critic from %s', async (seed, criticFrom) => {
  const { attained, optimumKl } = await ppoOptimum(seed, { criticFrom })
  expect(optimumKl).toBeGreaterThan(1)
  expect(attained).toBeGreaterThan(0.95)
})
