// Runs one job in this process: opens or resumes its folder, loads models and rows, drives the recipe, and leaves the
// weights as a Hugging Face folder `model` in the run. The recipes themselves are in align.
import fs from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { z } from 'zod'
import type { MarkPair, Outcome, Recipe, Resume } from '#align'
import type { Engine, Model, ModelSpec } from '#engine/contract'
import { ConfigError, invariant } from '#errors'
import { MANIFEST, sha256File, writeDurable, writeNew } from '#files'
import { objectivesBehind, objectivesDiffer } from '#lineage'
import { createEmbeddedEngine } from '#lm'
import type { ObjectiveStamp, Preference } from '#schema'
import type { Interval } from '#stats'
import { type Checkpoint, fillFolder, modelsOf, readCheckpoint } from './checkpoints.ts'
import { drive, type Progress } from './drive.ts'
import { Job, withAbsolutePaths } from './jobs.ts'
import { markFile, markSteps } from './marks.ts'
import { CARD, cardText, hashModel, type ModelCard } from './models.ts'
import { requireEngine } from './needs.ts'
import { prepareDpo } from './prepare-dpo.ts'
import { preparePpo, type TextJudge } from './prepare-ppo.ts'
import { preparePretrain } from './prepare-pretrain.ts'
import { prepareReward } from './prepare-reward.ts'
import { prepareSft } from './prepare-sft.ts'
import { judgementIds } from './rows.ts'
import { refuseUnusedBase } from './start.ts'
import { requireTicket } from './ticket.ts'
import { type Artifact, branchRun, createRun, readRun, resumeRun, type Run, type RunRecord } from './run-folder.ts'

export type TrainOptions = {
  signal?: AbortSignal
  onProgress?: (event: Progress) => void
  /** Words for people: rows set aside, the method of aggregation. */
  say?: (text: string) => void
  /** What must not be missed. */
  warn?: (text: string) => void
  /** That a new run is begun under. */
  objective?: ObjectiveStamp | undefined
  /** Folder of the run whose place a new one takes. */
  supersedes?: string | undefined
  /** Judges marks of PPO; its name is the job's `judge`. */
  judge?: TextJudge
  /** Called after each step with the models that train: must not disturb them. */
  watch?: (step: number, models: Record<string, Model>, engine: Engine) => Promise<void>
  hone: string
}

/** What a recipe's preparation gives: the generator to drive, and what is known about it. */
export type Prepared = {
  recipe: Recipe
  models: Record<string, Model>
  /** The model whose weights the run leaves. */
  result: string
  inputs: Record<string, Artifact>
  simulated: boolean
  /** What the judgements were made into, as far as the run learns from it: kept in its folder, with the ids behind each. */
  preferences?: Preference[]
  /** Told what DPO computed of its reference. */
  onReference?: (logprobs: Float64Array) => Promise<void>
  /** Keeps the pairs of a mark in the run's folder. */
  onMark?: (folder: string, step: number, pairs: MarkPair[]) => void
  /** Facts for the model's card, once the recipe is done. */
  finish?: () => Promise<Pick<ModelCard, 'reward' | 'sft'>>
}

export type Context = Required<Pick<TrainOptions, 'say'>> &
  Pick<TrainOptions, 'judge'> & {
    engine: Engine
    /** The checkpoint to go on from. */
    resume?: Resume
    /** Folder of the run that goes on. */
    run?: string
    /** Nothing may be written, caches included. */
    isDry?: boolean
  }

export type Trained = {
  folder: string
  model: string
  outcome: Outcome
  finished: boolean
  reward?: { accuracy?: Interval }
}

/** Starts a job in a new folder. */
export async function train(job: Job, out: string, options: TrainOptions): Promise<Trained> {
  refuseUnusedBase(job)
  requireTicket(job)
  const config = await withJudgements(withAbsolutePaths(job))
  const run = await createRun(out, { config, record: recordOf(config, options, { out }) })
  return work(config, { run, options })
}

/** Says in a run's own config whose words it learns from. */
async function withJudgements(job: Job): Promise<Job> {
  if (job.recipe !== 'reward' && job.recipe !== 'dpo') return job
  const judgements = await judgementIds(job.data)
  return judgements ? { ...job, judgements } : job
}

/** Goes on with a run from its newest complete checkpoint, or from the beginning where it has none. */
export async function resume(folder: string, options: TrainOptions): Promise<Trained> {
  const { record, config } = readRun(folder)
  if (record.status === 'done')
    throw new ConfigError(`--resume: ${folder} is done; its weights are in ${join(folder, 'model')}`)
  if (record.status === 'paused')
    throw new ConfigError(`--resume: ${folder} is paused: ${String(record.outcome?.reason)}; ${howToGoOn(folder)}`)
  const job = Job.safeParse(config)
  if (!job.success)
    throw new ConfigError(`--resume: ${join(folder, 'config.json')} is not a job: ${z.prettifyError(job.error)}`)
  const { run, from } = resumeRun(folder)
  return work(job.data, { run, options, ...(from && { from }) })
}

/** What a paused run waits for. */
export function howToGoOn(folder: string): string {
  const step = markSteps(folder).at(-1)!
  return `its fresh judgements are ${markFile(folder, step, 'judgements')}: train a reward model on them or others like them, then hone train ppo --resume ${folder} --reward RUN`
}

/**
 * A new run that goes on from another one's checkpoint with other settings: a PPO run past its stop, say. It begins with
 * a copy of what that run had written by then, so its metrics are those of one run, bit for bit the same up to there.
 * Data and models must be those of the other run.
 */
export async function branch(
  folder: string,
  { step, job, out }: { step: number; job: Job; out: string },
  options: TrainOptions,
): Promise<Trained> {
  const { record } = readRun(folder)
  const { folder: start } = readCheckpoint(folder, step)
  const config = withAbsolutePaths(afresh(job))
  const inputs = { ...record.inputs, branchedFrom: { path: start, hash: sha256File(join(start, MANIFEST)) } }
  const { run, from } = await branchRun(out, {
    config,
    record: recordOf(config, options, { out, inputs }),
    origin: folder,
    step,
  })
  return work(config, { run, options, from })
}

/** The pauses of the other run are its own: a branch asks its judge at every mark. */
function afresh(job: Job): Job {
  if (job.recipe !== 'ppo') return job
  const { earlierRewards: _, ...rest } = job
  return rest
}

function recordOf(
  job: Job,
  { hone, objective, supersedes }: TrainOptions,
  { out, inputs = {} }: { out: string; inputs?: RunRecord['inputs'] },
): RunRecord {
  const record = { recipe: job.recipe, hone, status: 'running', inputs, outputs: {}, simulated: false } as const
  return {
    ...record,
    ...(objective && { objective }),
    ...(supersedes !== undefined && { supersedes: relative(resolve(out), resolve(supersedes)) }),
  }
}

async function work(
  job: Job,
  { run, options, from }: { run: Run; options: TrainOptions; from?: Checkpoint },
): Promise<Trained> {
  const { engine, releaseAll } = openEngine(job)
  try {
    const { say = () => undefined, judge, signal, onProgress, watch } = options
    const context: Context = {
      engine,
      say,
      run: run.folder,
      ...(judge && { judge }),
      ...(from && { resume: { saved: modelsOf(from), state: from.record.state } }),
    }
    await requireEngine(engine, job)
    const prepared = await prepare(job, context)
    const { inputs: earlier, objective } = readRun(run.folder).record
    refuseChanged(earlier, prepared.inputs)
    const inputs = { ...earlier, ...prepared.inputs }
    const differ = objectivesDiffer({ what: 'this run', objective }, objectivesBehind(inputs))
    run.update({ inputs, simulated: prepared.simulated, status: 'running', objectivesDiffer: differ })
    if (differ !== undefined) (options.warn ?? say)(differ)
    const { models, onReference, onMark, preferences } = prepared
    if (preferences) keepPreferences(run.folder, preferences)
    const outcome = await drive(prepared.recipe, {
      engine,
      run,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
      ...(onReference && { onReference }),
      ...(onMark && { onMark: (step: number, pairs: MarkPair[]) => onMark(run.folder, step, pairs) }),
      ...(watch && { watch: (step: number) => watch(step, models, engine) }),
    })
    if (outcome.stoppedBy === 'asked') {
      run.update({ status: 'stopped', outcome: { ...outcome } })
      return { folder: run.folder, model: join(run.folder, 'model'), outcome, finished: false }
    }
    return await finish({ run, engine, prepared, outcome, job })
  } finally {
    try {
      await releaseAll()
    } finally {
      run.close()
    }
  }
}

/** A run that goes on writes the same bytes again. */
function keepPreferences(folder: string, preferences: readonly Preference[]): void {
  writeDurable(join(folder, 'preferences.jsonl'), preferences.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

/** The job's engine, and a way to release all that is still loaded: a preparation that fails half-way leaves nothing behind. */
export function openEngine(job: Job): { engine: Engine; releaseAll: () => Promise<void> } {
  const { device, dtype = 'float32' } = job
  const { baseDtype = 'float32', gradientCheckpointing = false } = job.recipe === 'pretrain' ? {} : job
  const engine = createEmbeddedEngine({ device, precision: dtype, baseDtype, gradientCheckpointing })
  const loaded = new Set<Model>()
  const release: Engine['release'] = async (model) => {
    await engine.release(model)
    loaded.delete(model)
  }
  return {
    engine: {
      ...engine,
      release,
      async load(spec) {
        const model = await engine.load(spec)
        loaded.add(model)
        return model
      },
    },
    async releaseAll() {
      // Last first: a model that shares a base goes before the base.
      for (const model of [...loaded].reverse()) await release(model)
    },
  }
}

export function prepare(job: Job, context: Context): Promise<Prepared> {
  switch (job.recipe) {
    case 'pretrain':
      return preparePretrain(job, context)
    case 'sft':
      return prepareSft(job, context)
    case 'reward':
      return prepareReward(job, context)
    case 'dpo':
      return prepareDpo(job, context)
    case 'ppo':
      return preparePpo(job, context)
    default:
      return job satisfies never
  }
}

type Finished = { run: Run; engine: Engine; prepared: Prepared; outcome: Outcome; job: Job }

/** Leaves the kept weights as run/model, whole or not at all, and closes the record. */
async function finish({ run, engine, prepared, outcome, job }: Finished): Promise<Trained> {
  const facts = (await prepared.finish?.()) ?? {}
  const parents = Object.fromEntries(Object.entries(prepared.inputs).map(([role, { hash }]) => [role, hash]))
  const { objective } = readRun(run.folder).record
  const card: ModelCard = {
    recipe: job.recipe,
    dtype: job.dtype ?? 'float32',
    ...(job.recipe !== 'pretrain' && job.baseDtype && { baseDtype: job.baseDtype }),
    parents,
    simulated: prepared.simulated,
    ...(objective && { objective }),
    ...facts,
  }
  const model = join(run.folder, 'model')
  await withKept({ run, engine, prepared, outcome, job }, (kept) =>
    fillFolder(model, async (temporary) => {
      // The engine makes the folder itself.
      fs.rmdirSync(temporary)
      await engine.save(kept, 'weights', temporary)
      writeNew(join(temporary, CARD), cardText(card))
    }),
  )
  const output = { path: resolve(model), hash: hashModel(model) }
  const status = outcome.stoppedBy === 'reward-model' ? 'paused' : 'done'
  run.update({ status, outputs: { model: output }, outcome: { ...outcome } })
  return { folder: run.folder, model, outcome, finished: true, ...(facts.reward && { reward: facts.reward }) }
}

/** The model as it stood at the kept step: the live one when that is the last, else from its checkpoint; where no step is kept, as it stood at the start. */
async function withKept(
  { run, engine, prepared, outcome, job }: Finished,
  use: (model: Model) => Promise<void>,
): Promise<void> {
  const { kept, steps } = outcome
  const current = prepared.models[prepared.result]
  invariant(current, `a recipe leaves one of its models, ${prepared.result} is none`)
  if (kept === steps) return use(current)
  const model = await engine.load({ from: keptWeights({ run, prepared, job, kept }), trains: 'nothing' })
  try {
    await use(model)
  } finally {
    await engine.release(model)
  }
}

function keptWeights({
  run,
  prepared,
  job,
  kept,
}: Pick<Finished, 'run' | 'prepared' | 'job'> & { kept: number | undefined }): ModelSpec['from'] {
  if (kept === undefined) return { weights: job.model }
  const saved = modelsOf(readCheckpoint(run.folder, kept))[prepared.result]
  invariant(saved, `the checkpoint of step ${kept} holds no ${prepared.result}`)
  return { resume: saved }
}

/** A resumed run must see what it saw: data or models that changed meanwhile would make two runs of one. */
function refuseChanged(earlier: Record<string, Artifact>, now: Record<string, Artifact>): void {
  for (const [role, { path, hash }] of Object.entries(now)) {
    const before = earlier[role]
    if (before && before.hash !== hash)
      throw new ConfigError(
        `${path} (${role}) changed since the run began: expected sha256 ${before.hash}, got ${hash}; bring it back, or start a new run`,
      )
  }
}
