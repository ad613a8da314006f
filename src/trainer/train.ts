// Runs one job in this process: opens or resumes its folder, loads models and rows, drives the recipe, and leaves the
// weights as a Hugging Face folder `model` in the run. The recipes themselves are in align.
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import type { JsonValue, Outcome, Recipe, Resume } from '#align'
import type { Engine, Model, Saved } from '#engine/contract'
import { ConfigError, invariant } from '#errors'
import { commitFolder, temporaryFolder, verifyManifest, writeNew } from '#files'
import { createEmbeddedEngine } from '#lm'
import type { Interval } from '#stats'
import { drive, type Progress } from './drive.ts'
import { Job } from './jobs.ts'
import { CARD, cardText, hashModel, type ModelCard } from './models.ts'
import { prepareDpo } from './prepare-dpo.ts'
import { preparePpo, type TextJudge } from './prepare-ppo.ts'
import { preparePretrain } from './prepare-pretrain.ts'
import { prepareReward } from './prepare-reward.ts'
import { prepareSft } from './prepare-sft.ts'
import {
  type Artifact,
  type Checkpoint,
  createRun,
  readCheckpoint,
  readRun,
  resumeRun,
  type Run,
} from './run-folder.ts'

export type TrainOptions = {
  signal?: AbortSignal
  onProgress?: (event: Progress) => void
  /** Words for people: rows set aside, the method of aggregation. */
  say?: (text: string) => void
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
  /** Told what DPO computed of its reference. */
  onReference?: (logprobs: Float64Array) => void
  /** Facts for the model's card, once the recipe is done. */
  finish?: () => Promise<Pick<ModelCard, 'reward'>>
}

export type Context = Required<Pick<TrainOptions, 'say'>> &
  Pick<TrainOptions, 'judge'> & {
    engine: Engine
    /** The checkpoint to go on from. */
    resume?: Resume
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
  const run = createRun(out, {
    config: job,
    record: { recipe: job.recipe, hone: options.hone, status: 'running', inputs: {}, outputs: {}, simulated: false },
  })
  return work(job, { run, options })
}

/** Goes on with a run from its newest complete checkpoint, or from the beginning where it has none. `change` replaces settings (an unbudgeted continuation). */
export async function resume(folder: string, options: TrainOptions): Promise<Trained> {
  const { record, config } = readRun(folder)
  if (record.status === 'done')
    throw new ConfigError(`--resume: ${folder} is done; its weights are in ${join(folder, 'model')}`)
  const job = Job.parse(config)
  const { run, from } = resumeRun(folder)
  return work(job, { run, options, ...(from && { from }) })
}

/** A new run that begins as a copy of another one's checkpoint, with other settings: the same prefix, bit for bit. */
export async function branch(
  folder: string,
  { step, job, out }: { step: number; job: Job; out: string },
  options: TrainOptions,
): Promise<Trained> {
  const from = readCheckpoint(folder, step)
  const run = createRun(out, {
    config: job,
    record: {
      recipe: job.recipe,
      hone: options.hone,
      status: 'running',
      inputs: { branchedFrom: { path: resolve(from.folder), hash: verifyManifest(from.folder).sha256 } },
      outputs: {},
      simulated: false,
    },
  })
  return work(job, { run, options, from })
}

async function work(
  job: Job,
  { run, options, from }: { run: Run; options: TrainOptions; from?: Checkpoint },
): Promise<Trained> {
  const engine = createEmbeddedEngine({ device: job.device })
  let prepared: Prepared | undefined
  try {
    const { say = () => undefined, judge, signal, onProgress, watch } = options
    const context: Context = {
      engine,
      say,
      ...(judge && { judge }),
      ...(from && { resume: { saved: savedOf(from), state: from.record.state as JsonValue } }),
    }
    prepared = await prepare(job, context)
    const { inputs: earlier } = readRun(run.folder).record
    refuseChanged(earlier, prepared.inputs)
    run.update({ inputs: { ...earlier, ...prepared.inputs }, simulated: prepared.simulated, status: 'running' })
    const { models } = prepared
    const outcome = await drive(prepared.recipe, {
      engine,
      run,
      ...(signal && { signal }),
      ...(onProgress && { onProgress }),
      ...(prepared.onReference && { onReference: prepared.onReference }),
      ...(watch && { watch: (step: number) => watch(step, models, engine) }),
    })
    if (outcome.stoppedBy === 'asked') {
      run.update({ status: 'stopped', outcome: { ...outcome } })
      return { folder: run.folder, model: join(run.folder, 'model'), outcome, finished: false }
    }
    return await finish({ run, engine, prepared, outcome, job })
  } finally {
    for (const model of Object.values(prepared?.models ?? {})) await engine.release(model)
    run.close()
  }
}

function prepare(job: Job, context: Context): Promise<Prepared> {
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

/** Leaves the kept weights as run/model, whole or not at all, and closes the record. */
async function finish({
  run,
  engine,
  prepared,
  outcome,
  job,
}: {
  run: Run
  engine: Engine
  prepared: Prepared
  outcome: Outcome
  job: Job
}): Promise<Trained> {
  const facts = (await prepared.finish?.()) ?? {}
  const parents = Object.fromEntries(Object.entries(prepared.inputs).map(([role, { hash }]) => [role, hash]))
  const card: ModelCard = { recipe: job.recipe, parents, simulated: prepared.simulated, ...facts }
  const model = join(run.folder, 'model')
  const current = prepared.models[prepared.result]
  invariant(current, `a recipe leaves one of its models, ${prepared.result} is none`)
  await withKept(
    current,
    { run, engine, name: prepared.result, kept: outcome.kept, steps: outcome.steps },
    async (kept) => {
      // Of a run that ended before: written anew.
      fs.rmSync(model, { recursive: true, force: true })
      const temporary = temporaryFolder(model)
      fs.rmdirSync(temporary)
      await engine.save(kept, 'weights', temporary)
      writeNew(join(temporary, CARD), cardText(card))
      commitFolder(temporary, model)
    },
  )
  const output = { path: resolve(model), hash: hashModel(model) }
  run.update({ status: 'done', outputs: { model: output }, outcome: { ...outcome } })
  return { folder: run.folder, model, outcome, finished: true, ...(facts.reward && { reward: facts.reward }) }
}

/** The model as it stood at the kept step: the live one when that is the last, else from its checkpoint. */
async function withKept(
  current: Model,
  {
    run,
    engine,
    name,
    kept,
    steps,
  }: { run: Run; engine: Engine; name: string; kept: number | undefined; steps: number },
  use: (model: Model) => Promise<void>,
): Promise<void> {
  if (kept === undefined || kept === steps) return use(current)
  const saved = savedOf(readCheckpoint(run.folder, kept))[name]
  invariant(saved, `the checkpoint of step ${kept} holds no ${name}`)
  const model = await engine.load({ from: { resume: saved }, trains: 'nothing' })
  try {
    await use(model)
  } finally {
    await engine.release(model)
  }
}

function savedOf({ folder, record }: Checkpoint): Record<string, Saved> {
  const { files } = verifyManifest(folder)
  return Object.fromEntries(
    record.models.map((name) => [
      name,
      {
        folder: join(folder, name),
        files: files
          .filter(({ path }) => path.startsWith(`${name}/`))
          .map(({ path, sha256 }) => ({ path: path.slice(name.length + 1), sha256 })),
      },
    ]),
  )
}

/** A resumed run must see what it saw: data or models that changed meanwhile would make two runs of one. */
function refuseChanged(earlier: Record<string, Artifact>, now: Record<string, Artifact>): void {
  for (const [role, { path, hash }] of Object.entries(now)) {
    const before = earlier[role]
    if (before && before.hash !== hash)
      throw new ConfigError(
        `--resume: ${path} (${role}) changed since the run began: expected sha256 ${before.hash}, got ${hash}; bring it back, or start a new run`,
      )
  }
}
