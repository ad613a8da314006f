// PPO with a critic under a KL budget. A round learns (ppo-round.ts); this is the run around it: alarms, samples of watched
// prompts, marks every so many nats (marks.ts), the rules that end it (ppo-state.ts), and which mark to keep. With the
// budget off, marks only watch: the same run continued past its stop, bit for bit the same up to there.
import type { Saved } from '#engine/contract'
import { ConfigError, invariant } from '#errors'
import type { PpoConfig } from '#schema'
import { type Alarm, markAlarms } from './alarms.ts'
import { isDue } from './checkpoints.ts'
import { policyFrom } from './critic-warmup.ts'
import type { CheckpointReason, Outcome, Recipe, RecipeEvent, Reply, Resume } from './events.ts'
import { judgeMark } from './judge-mark.ts'
import type { Check } from './marks.ts'
import { type Learner, ppoRound } from './ppo-round.ts'
import {
  type End,
  endOf,
  freshState,
  isMarkDue,
  nextMarkAfter,
  raisedBy,
  readState,
  remember,
  type State,
  writeState,
} from './ppo-state.ts'
import { termScores } from './terms.ts'
import { watchedSamples } from './watched.ts'

export type PpoInput = Learner & {
  /** Judges the marks; without it the budget ends the run and the last policy is kept. */
  check?: Check
  /** Prompts whose completions are shown before the first step, every `samplesEvery` steps and at the last. */
  watched?: Int32Array[]
  resume?: Resume
}

/**
 * Metrics: score and reward.TERM (means), kl (summed k3), klK1, klAverage3, beta, entropy, policyLoss, valueLoss,
 * ratioMean, ratioMax, firstRatioGap, clipFraction, approxKl, explainedVariance, tokens, tokensMean, tokensSd, noEosShare, distinct1,
 * distinct2, identicalShare, repetitionShare, samplerGapMean, samplerGapMax, outOfRange.TERM, learningRate, norms.
 */
export async function* ppo(input: PpoInput): Recipe {
  const { config, check, watched = [], resume } = input
  checkInput(input)
  const of = config.steps
  const state = resume ? readState(resume.state) : freshState(config)
  let saved = resume?.saved
  let isCommitted = resume !== undefined
  if (watched.length > 0 && !resume) yield await samples(input, watched, 0)

  for (;;) {
    if (state.markPending) {
      invariant(saved?.policy && check, 'a mark is judged on the policy that its checkpoint saved, and by a check')
      yield* mark(input, check, state, saved.policy)
    }
    const end = endOf(state, config)
    if (end) {
      if (!isCommitted) yield checkpoint(input, state, 'end')
      return outcome(state, end, check)
    }

    const { step, beta } = state
    const metrics = await ppoRound(input, { step, beta, policyFrom: policyFrom(state, config) })
    remember(state, metrics, config)
    const reply = yield { kind: 'step', step: state.step, of, metrics }
    yield* raise(state, raisedBy(state, config))
    if (watched.length > 0 && isDue(state.step, of, config.samplesEvery))
      yield await samples(input, watched, state.step)

    state.markPending = check !== undefined && isMarkDue(state, config)
    const isAsked = reply === 'checkpoint' || reply === 'stop'
    isCommitted = state.markPending || isAsked || state.step % config.checkpointEvery === 0
    if (isCommitted) {
      const answer = yield checkpoint(input, state, state.markPending ? 'mark' : isAsked ? 'asked' : 'interval')
      saved = typeof answer === 'object' ? answer : undefined
    }
    if (reply === 'stop')
      return outcome(state, { stoppedBy: 'asked', reason: `asked to stop after step ${state.step}` }, check)
  }
}

async function* mark(
  input: PpoInput,
  check: Check,
  state: State,
  saved: Saved,
): AsyncGenerator<RecipeEvent, void, Reply> {
  const { memory, pairs } = await judgeMark({ ...input, check }, { step: state.step, memory: state.memory, saved })
  state.memory = memory
  state.markPending = false
  state.nextMark = nextMarkAfter(state, input.config.markEvery)
  const result = state.memory.marks.at(-1)!
  yield { kind: 'mark', step: state.step, mark: result, pairs }
  yield* raise(state, markAlarms(result))
}

function* raise(state: State, alarms: Alarm[]): Generator<RecipeEvent, void, Reply> {
  for (const alarm of alarms) {
    state.alarmed ||= alarm.action !== 'note'
    yield { kind: 'alarm', step: state.step, ...alarm }
  }
}

function checkpoint({ policy, critic }: Learner, state: State, reason: CheckpointReason): RecipeEvent {
  const models = { policy, ...(critic !== policy && { critic }) }
  return { kind: 'checkpoint', step: state.step, models, state: writeState(state), reason }
}

function outcome({ step, memory, history }: State, end: End, check: Check | undefined): Outcome {
  const kept = check ? memory.best : step
  return { steps: step, ...end, ...(kept > 0 && { kept }), metrics: history.recent.at(-1) ?? {} }
}

/** One completion of each watched prompt, and what each term says of it. */
function samples(
  { engine, policy, config, stopTokens, terms, signal }: Learner,
  watched: Int32Array[],
  step: number,
): Promise<RecipeEvent> {
  const { maxTokens, temperature, seed } = config
  return watchedSamples(engine, policy, watched, {
    step,
    seed,
    maxTokens,
    temperature,
    stopTokens,
    ...(signal && { signal }),
    metricsOf: async (rollouts) => {
      const scores = await Promise.all(terms.map((term) => termScores(term, rollouts)))
      return rollouts.map((_, i) => Object.fromEntries(terms.map((term, t) => [term.name, scores[t]![i]!])))
    },
  })
}

function checkInput({ prompts, terms, check, stopTokens, policy, critic, config }: PpoInput): void {
  if (prompts.length === 0) throw new ConfigError('ppo needs at least one prompt, got none')
  if (stopTokens.length === 0) throw new ConfigError('ppo needs a stop token: without one no completion ends')
  if (terms.length === 0) throw new ConfigError('ppo needs at least one reward term, got none')
  if (new Set(terms.map((t) => t.name)).size < terms.length)
    throw new ConfigError(`reward terms need different names, got ${terms.map((t) => t.name).join(', ')}`)
  if (terms.filter((t) => t.isLearned).length > 1)
    throw new ConfigError('marks hold one learned reward against the judge: mark one term as learned')
  if (check && check.prompts.length === 0) throw new ConfigError('marks need fresh prompts, got none')
  checkCritic(config, { isOnPolicy: critic === policy })
}

/** Refuses a setting of the critic that would be ignored. */
export function checkCritic(config: PpoConfig, { isOnPolicy }: { isOnPolicy: boolean }): void {
  if (isOnPolicy && config.criticLearningRate !== undefined)
    throw new ConfigError(
      "criticLearningRate would be ignored: a critic on the policy's trunk learns by learningRate; drop it",
    )
  if (!isOnPolicy && config.valueWeight !== undefined)
    throw new ConfigError("valueWeight would be ignored: only a critic on the policy's trunk has one; drop it")
}
