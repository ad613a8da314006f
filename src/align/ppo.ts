// PPO with a critic under a KL budget. A round learns (ppo-round.ts); this is the run around it: the KL price, alarms,
// samples of watched prompts, marks every so many nats (marks.ts), the rules that end it, and which mark to keep. With
// the budget off, marks only watch: the same run continued past its stop, bit for bit the same up to there.
import { z } from 'zod'
import type { Saved } from '#engine/contract'
import { ConfigError, invariant } from '#errors'
import type { PpoConfig } from '#schema'
import { deriveSeed } from '#stats'
import { alarmsOf, type History, markAlarms, WINDOW } from './alarms.ts'
import { isDue, parseState } from './checkpoints.ts'
import type { JsonValue, Metrics, Outcome, Recipe, RecipeEvent, Reply, Resume, Sample } from './events.ts'
import { adaptedBeta } from './kl-control.ts'
import { type Check, judgeMark, type MarkMemory } from './marks.ts'
import { type Learner, ppoRound } from './ppo-round.ts'
import { type Rollout, sampleRollouts } from './rollouts.ts'
import { termScores } from './terms.ts'

export type PpoInput = Learner & {
  /** Judges the marks; without it the budget ends the run and the last policy is kept. */
  check?: Check
  /** Prompts whose completions are shown every `samplesEvery` steps. */
  watched?: Int32Array[]
  resume?: Resume
}

/** All that a run remembers beside its models. */
type State = {
  step: number
  beta: number
  /** KL of the last three steps, nats. */
  kls: number[]
  /** Nats at which the next mark is due. */
  nextMark: number
  /** The policy of this step is saved and waits to be judged. */
  markPending: boolean
  history: History
  memory: MarkMemory
}

const DEFAULT_HORIZON = 10_000

/**
 * Metrics: score and reward.TERM (means), kl (summed k3), klK1, klAverage3, beta, entropy, policyLoss, valueLoss,
 * ratioMean, ratioMax, firstRatioGap, clipFraction, approxKl, explainedVariance, tokens, tokensSd, noEosShare, distinct1,
 * distinct2, identicalShare, repetitionShare, samplerGapMean, samplerGapMax, outOfRange.TERM, learningRate, norms.
 */
export async function* ppo(input: PpoInput): Recipe {
  const { config, check, watched = [], resume } = input
  checkInput(input)
  const of = config.steps
  const state = resume ? readState(resume.state) : freshState(config)
  const models = { policy: input.policy, critic: input.critic }
  let saved = resume?.saved
  let isCommitted = resume !== undefined

  for (;;) {
    if (state.markPending) {
      invariant(
        saved?.policy && check,
        'a mark checkpoint is answered with what was saved, policy among it, and judged by a check',
      )
      yield* mark(input, check, state, saved.policy)
    }
    const end = endOf(state, config)
    if (end) {
      if (!isCommitted) yield checkpoint(state, models, 'end')
      return outcomeOf(state, end, check)
    }

    const metrics = await ppoRound(input, { step: state.step, beta: state.beta })
    remember(state, metrics, config)
    const reply = yield { kind: 'step', step: state.step, of, metrics }
    for (const alarm of alarmsOf(state.history)) yield { kind: 'alarm', step: state.step, ...alarm }
    if (watched.length > 0 && isDue(state.step, of, config.samplesEvery))
      yield { kind: 'samples', step: state.step, samples: await samplesOf(input, watched, state.step) }

    state.markPending =
      check !== undefined && (metrics.klAverage3! >= state.nextMark || endOf(state, config) !== undefined)
    const isAsked = reply === 'checkpoint' || reply === 'stop'
    isCommitted = state.markPending || isAsked || state.step % config.checkpointEvery === 0
    if (isCommitted)
      saved = savedOf(yield checkpoint(state, models, state.markPending ? 'mark' : isAsked ? 'asked' : 'interval'))
    if (reply === 'stop')
      return outcomeOf(state, { stoppedBy: 'asked', reason: `asked to stop after step ${state.step}` }, check)
  }
}

async function* mark(
  input: PpoInput,
  check: Check,
  state: State,
  saved: Saved,
): AsyncGenerator<RecipeEvent, void, Reply> {
  state.memory = await judgeMark({ ...input, check }, { step: state.step, memory: state.memory, saved })
  state.markPending = false
  const { markEvery } = input.config
  state.nextMark = Math.max(state.nextMark, (Math.floor(average(state.kls) / markEvery) + 1) * markEvery)
  const result = state.memory.marks.at(-1)!
  yield { kind: 'mark', step: state.step, mark: result }
  for (const alarm of markAlarms(result)) yield { kind: 'alarm', step: state.step, ...alarm }
}

/** Why the run ends here, if it does; a function of its state, so that a resumed run ends where it would have. */
function endOf(
  { step, kls, history, memory }: State,
  config: PpoConfig,
): Pick<Outcome, 'stoppedBy' | 'reason'> | undefined {
  const stops = config.onAlarm === 'stop' ? ['pause', 'stop'] : ['stop']
  const alarm = alarmsOf(history).find((a) => stops.includes(a.action))
  if (alarm)
    return {
      stoppedBy: 'alarm',
      reason: `${alarm.name}: ${alarm.rule} (${alarm.value.toPrecision(3)}, threshold ${alarm.threshold})`,
    }
  const last = memory.marks.at(-1)
  if (config.klBudget !== 'off' && last?.step === step && last.decision !== 'go on')
    return { stoppedBy: last.decision === 'stop' ? 'check' : 'reward-model', reason: last.reason }
  if (config.klBudget !== 'off' && average(kls) > config.klBudget)
    return {
      stoppedBy: 'budget',
      reason: `spent ${average(kls).toFixed(2)} of ${config.klBudget} nats by step ${step}`,
    }
  return step === config.steps ? { stoppedBy: 'steps', reason: `all ${step} steps are done` } : undefined
}

function outcomeOf(
  { step, memory, history }: State,
  end: Pick<Outcome, 'stoppedBy' | 'reason'>,
  check: Check | undefined,
): Outcome {
  const kept = check ? memory.best : step
  return { steps: step, ...end, ...(kept > 0 && { kept }), metrics: history.recent.at(-1) ?? {} }
}

/** Counts the step, averages its KL, moves beta, and keeps what alarms look back on. */
function remember(
  state: State,
  metrics: Metrics,
  { klControl, klTarget, klHorizon = DEFAULT_HORIZON, ...config }: PpoConfig,
): void {
  state.step++
  state.kls = [...state.kls, metrics.kl!].slice(-3)
  metrics.klAverage3 = average(state.kls)
  if (klControl === 'adaptive') {
    const completions = config.promptsPerStep * config.samplesPerPrompt
    state.beta = adaptedBeta(state.beta, { kl: metrics.kl!, target: klTarget!, completions, horizon: klHorizon })
  }
  const { baseline, recent } = state.history
  state.history = {
    baseline: baseline.length < WINDOW ? [...baseline, metrics] : baseline,
    recent: [...recent, metrics].slice(-WINDOW - 1),
  }
}

/** One completion of each watched prompt, always with the same draws, and what each term says of it. */
async function samplesOf(
  { engine, policy, config, stopTokens, terms, signal }: Learner,
  watched: Int32Array[],
  step: number,
): Promise<Sample[]> {
  const { maxTokens, temperature, seed } = config
  const rollouts: Rollout[] = await sampleRollouts(engine, policy, watched, {
    maxTokens,
    temperature,
    stopTokens,
    seed: deriveSeed(seed, 'watched'),
    ...(signal && { signal }),
  })
  const scores = await Promise.all(terms.map((term) => termScores(term, rollouts)))
  return rollouts.map(({ prompt, completion }, i) => ({
    prompt,
    completion,
    metrics: { step, ...Object.fromEntries(terms.map((term, t) => [term.name, scores[t]![i]!])) },
  }))
}

function checkpoint(
  state: State,
  models: { policy: Learner['policy']; critic: Learner['critic'] },
  reason: 'interval' | 'mark' | 'asked' | 'end',
): RecipeEvent {
  return {
    kind: 'checkpoint',
    step: state.step,
    models,
    state: { recipe: 'ppo', ...structuredClone(state) } satisfies JsonValue,
    reason,
  }
}

function savedOf(reply: Reply): Record<string, Saved> | undefined {
  return typeof reply === 'object' ? reply : undefined
}

function freshState({ beta, markEvery }: PpoConfig): State {
  return {
    step: 0,
    beta,
    kls: [],
    nextMark: markEvery,
    markPending: false,
    history: { baseline: [], recent: [] },
    memory: { marks: [], contests: [], best: 0 },
  }
}

const StateJson = z.strictObject({
  recipe: z.literal('ppo'),
  step: z.number().int().positive(),
  beta: z.number(),
  kls: z.array(z.number()),
  nextMark: z.number(),
  markPending: z.boolean(),
  history: z.strictObject({
    baseline: z.array(z.record(z.string(), z.number())),
    recent: z.array(z.record(z.string(), z.number())),
  }),
  memory: z.custom<MarkMemory>((memory) => typeof memory === 'object' && memory !== null && 'marks' in memory),
})

function readState(json: JsonValue): State {
  const { recipe: _, ...state } = structuredClone(parseState(json, StateJson))
  return state
}

function average(values: number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(values.length, 1)
}

function checkInput({ prompts, terms, check, stopTokens }: PpoInput): void {
  if (prompts.length === 0) throw new ConfigError('ppo needs at least one prompt, got none')
  if (stopTokens.length === 0) throw new ConfigError('ppo needs a stop token: without one no completion ends')
  if (terms.length === 0) throw new ConfigError('ppo needs at least one reward term, got none')
  if (new Set(terms.map((t) => t.name)).size < terms.length)
    throw new ConfigError(`reward terms need different names, got ${terms.map((t) => t.name).join(', ')}`)
  if (terms.filter((t) => t.isLearned).length > 1)
    throw new ConfigError('marks hold one learned reward against the judge: mark one term as learned')
  if (check && check.prompts.length === 0) throw new ConfigError('marks need fresh prompts, got none')
}
