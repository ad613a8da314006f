// What a run will take, before it is begun: its first steps are done in earnest on the user's own rows, timed and thrown
// away. Of SFT, reward and DPO the rest of the schedule is then walked through by an engine that only counts; of PPO the
// time of a round is multiplied. Nothing is written. Left out: marks of PPO, whose number hangs on the KL, and their judge.
import type { RecipeEvent } from '#align'
import { countParameters } from '#lm'
import { STEPS_OF_SAVING, UNSAVED_MS } from './drive.ts'
import { type Job, type PpoJob, withAbsolutePaths } from './jobs.ts'
import { type RehearsalEngine, rehearsalEngine } from './rehearsal-engine.ts'
import { refuseUnusedBase } from './start.ts'
import { requireTicket } from './ticket.ts'
import { openEngine, prepare, type Prepared, type TrainOptions } from './train.ts'

export type Rehearsal = {
  /** Numbers that train, and all that the run's models hold; what they share counts once. */
  parameters: { trained: number; all: number }
  /** Of the process; memory of a GPU is not in it. */
  peakMemoryBytes: number
  /** Scored tokens, from the first step to the last, as a run reports them. */
  tokensPerSecond: number
  steps: number
  /** Of the whole run, and what it is made of. Evaluation: held-out rows, DPO's reference, watched prompts. */
  seconds: number
  parts: { loading: number; steps: number; evaluation: number; saving: number }
  /** What finding out took. */
  probe: { seconds: number; steps: number }
}

/** So many steps are done in earnest and for so long, unless they are so slow that patience ends first. */
export type ProbeLimits = { steps: number; seconds: number; patience: number }
const PROBE: ProbeLimits = { steps: 3, seconds: 10, patience: 60 }

/** A checkpoint is copied out of tensors, hashed, written, synced, and hashed again by its manifest. */
const SAVED_BYTES_PER_SECOND = 250e6
/** A weight and AdamW's two moments, float32; the weight alone. */
const [RESUME_BYTES, WEIGHT_BYTES] = [12, 4]

export async function rehearse(
  job: Job,
  { say = () => undefined, signal, probe = PROBE }: Pick<TrainOptions, 'say' | 'signal'> & { probe?: ProbeLimits },
): Promise<Rehearsal> {
  refuseUnusedBase(job)
  requireTicket(job)
  const clock = stopwatch()
  const { engine, releaseAll } = openEngine(job)
  try {
    const rehearsal = rehearsalEngine(engine, { isWhole: job.recipe === 'ppo' })
    const dry = withAbsolutePaths(rehearsed(job))
    const prepared = await prepare(dry, { engine: rehearsal.engine, say, isDry: true })
    const loading = clock()
    const parameters = countParameters(Object.values(prepared.models))
    const events = eventsOf(prepared, signal)
    const measured =
      job.recipe === 'ppo'
        ? await multiply(events, { job, prepared, rehearsal, probe })
        : await walk(events, { prepared, rehearsal, probe })
    const { steps, evaluation, tokens } = measured
    const working = measured.seconds + evaluation
    const saving = savingSeconds(parameters.trained, {
      working,
      regular: Math.ceil(steps / job.config.checkpointEvery),
    })
    return {
      parameters,
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
      tokensPerSecond: tokens / (working + saving),
      steps,
      seconds: loading + working + saving,
      parts: { loading, steps: measured.seconds, evaluation, saving },
      probe: { seconds: clock(), steps: measured.probed },
    }
  } finally {
    await releaseAll()
  }
}

/** `seconds` of the steps, `evaluation` of reading beside them; `probed` steps were done in earnest. */
type Measured = { steps: number; seconds: number; evaluation: number; tokens: number; probed: number }
type TimedEvent = { event: RecipeEvent; seconds: number }

/** A judge would be asked, and a critic that warms up alone says nothing of a whole round. */
function rehearsed(job: Job): Job {
  if (job.recipe !== 'ppo') return job
  const { judge: _, markData: __, ...rest } = job
  return { ...rest, config: { ...job.config, criticWarmupSteps: 0, criticWarmupUntil: undefined } }
}

/** A recipe's events, each with the seconds that led to it. */
async function* eventsOf({ recipe, onReference }: Prepared, signal?: AbortSignal): AsyncGenerator<TimedEvent> {
  for (;;) {
    const clock = stopwatch()
    const next = await recipe.next()
    signal?.throwIfAborted()
    if (next.done) return
    if (next.value.kind === 'reference') await onReference?.(next.value.logprobs)
    yield { event: next.value, seconds: clock() }
  }
}

/** The recipe to its end, some steps in earnest and the others counted. The first step, to which all memory is new, is timed only where it is the only one. */
async function walk(
  events: AsyncGenerator<TimedEvent>,
  { prepared, rehearsal, probe }: { prepared: Prepared; rehearsal: RehearsalEngine; probe: ProbeLimits },
): Promise<Measured> {
  const { asked, timed } = rehearsal
  const worked = () => timed.read.seconds + timed.learn.seconds + timed.step.seconds
  const clock = stopwatch()
  let [steps, tokens, probed, ownSeconds] = [0, 0, 0, 0]
  const watching = { times: 0, seconds: 0, earnest: 0 }
  let before = structuredClone(timed)
  let workedBefore = 0
  let isEarnest = true
  for await (const { event, seconds } of events) {
    if (isEarnest && event.kind === 'step' && event.step > 0) {
      probed++
      const isEnough = clock() > probe.seconds && (probed >= probe.steps || clock() > probe.patience)
      if (isEnough || event.step === event.of) rehearsal.count()
      isEarnest = !isEnough
      if (probed > 1) ownSeconds += seconds - (worked() - workedBefore)
      else if (isEarnest && event.of > 1) before = structuredClone(timed)
    }
    workedBefore = worked()
    if (event.kind === 'samples') {
      watching.times++
      if (isEarnest) {
        watching.earnest++
        watching.seconds += seconds
      }
    }
    if (event.kind !== 'step') continue
    steps = event.step
    tokens += event.metrics.tokens ?? 0
  }
  await prepared.finish?.()
  await rehearsal.heaviest()
  const rate = (kind: 'learn' | 'step', unit: 'tokens' | 'calls') =>
    (timed[kind].seconds - before[kind].seconds) / (timed[kind][unit] - before[kind][unit])
  const ofSteps = asked.learn.tokens * rate('learn', 'tokens') + asked.step.calls * rate('step', 'calls')
  const { read } = timed
  const reading = asked.read.tokens === 0 ? 0 : (asked.read.tokens * read.seconds) / read.tokens
  const sampling = watching.times === 0 ? 0 : (watching.times * watching.seconds) / watching.earnest
  return {
    steps,
    seconds: ofSteps + (steps * ownSeconds) / Math.max(probed - 1, 1),
    evaluation: reading + sampling,
    tokens,
    probed,
  }
}

/** Some rounds of PPO in earnest; the first is timed only where it is the only one. Ends at the last step, which a budget may never reach. */
async function multiply(
  events: AsyncGenerator<TimedEvent>,
  {
    job,
    prepared,
    rehearsal,
    probe,
  }: { job: PpoJob; prepared: Prepared; rehearsal: RehearsalEngine; probe: ProbeLimits },
): Promise<Measured> {
  const { steps, criticWarmupSteps, samplesEvery } = job.config
  const clock = stopwatch()
  const rounds: { seconds: number; tokens: number }[] = []
  let watching = 0
  for await (const { event, seconds } of events) {
    if (event.kind === 'samples') watching = seconds
    if (event.kind !== 'step') continue
    rounds.push({ seconds, tokens: event.metrics.tokens! })
    const isEnough = clock() > probe.seconds && rounds.length >= probe.steps
    if (isEnough || clock() > probe.patience || rounds.length === steps) break
  }
  const warm = rounds.length > 1 ? rounds.slice(1) : rounds
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  // While a critic of its own warms up the policy is spared.
  const spared = prepared.models.critic ? (rehearsal.learning.get(prepared.models.policy!) ?? 0) / rounds.length : 0
  return {
    steps,
    seconds: steps * mean(warm.map(({ seconds }) => seconds)) - criticWarmupSteps * spared,
    evaluation: watching * (1 + Math.ceil(steps / samplesEvery)),
    tokens: steps * mean(rounds.map(({ tokens }) => tokens)),
    probed: rounds.length,
  }
}

/** Checkpoints at regular steps, or as often as a run asks for one by the clock (drive.ts), and the weights at the end. */
function savingSeconds(trained: number, { working, regular }: { working: number; regular: number }): number {
  const one = (trained * RESUME_BYTES) / SAVED_BYTES_PER_SECOND
  const byClock = working / Math.max(UNSAVED_MS / 1000, STEPS_OF_SAVING * one)
  return one * Math.max(regular, byClock) + (trained * WEIGHT_BYTES) / SAVED_BYTES_PER_SECOND
}

/** Seconds since it was made. */
function stopwatch(): () => number {
  const began = performance.now()
  return () => (performance.now() - began) / 1000
}
