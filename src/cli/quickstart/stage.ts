// What every step of the quickstart stands on: the domain, its folder of files, an engine to look at models with.
import fs from 'node:fs'
import { join } from 'node:path'
import { type Rollout, sampleRollouts } from '#align'
import type { Engine, Model } from '#engine/contract'
import { hashRow } from '#files'
import { createEmbeddedEngine } from '#lm'
import type { ObjectiveStamp } from '#schema'
import { deriveSeed } from '#stats'
import { loadTokenizer, type Tokenizer } from '#text'
import type { TrainOptions } from '#trainer'
import { loadDomain } from '../domains.ts'
import { output, type Output } from '../output.ts'
import { progressOf } from '../progress.ts'
import { version } from '../version.ts'
import type { Plan } from './plan.ts'

export type Domain = Awaited<ReturnType<typeof loadDomain>>

export type Stage = Plan & {
  dir: string
  seed: number
  domain: Domain
  tokenizer: Tokenizer
  /** For evaluation; runs have their own. */
  engine: Engine
  out: Output
  signal?: AbortSignal
}

export async function openStage({
  dir,
  seed,
  plan,
  domain: name,
  json = false,
  signal,
}: {
  dir: string
  seed: number
  plan: Plan
  domain: string
  json?: boolean
  signal?: AbortSignal
}): Promise<Stage> {
  const domain = await loadDomain(name)
  return {
    ...plan,
    dir,
    seed,
    domain,
    tokenizer: loadTokenizer(plan.base),
    engine: createEmbeddedEngine({ precision: plan.dtype }),
    out: output({ json }),
    ...(signal && { signal }),
  }
}

export function trainOptions(stage: Stage): TrainOptions {
  const { out, signal } = stage
  const speak = { onProgress: progressOf(out), say: out.say, warn: out.warn }
  return { hone: version(), objective: stampOf(stage), ...speak, ...(signal && { signal }) }
}

/** What every record of this quickstart is made under. */
export function stampOf({ domain: { objective } }: Pick<Stage, 'domain'>): ObjectiveStamp {
  return { id: hashRow(objective), name: objective.name }
}

/** Path of a data file or run of this quickstart. */
export function data(stage: Pick<Stage, 'dir'>, name: string): string {
  return join(stage.dir, 'data', `${name}.jsonl`)
}
export function run(stage: Pick<Stage, 'dir'>, name: string): string {
  return join(stage.dir, 'runs', name)
}

export function readJsonl<T>(file: string): T[] {
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)
}

/** Loads weights, lends the model, frees it. */
export async function withWeights<T>(
  { engine }: Pick<Stage, 'engine'>,
  weights: string,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await engine.load({ from: { weights }, trains: 'nothing' })
  try {
    return await use(model)
  } finally {
    await engine.release(model)
  }
}

export type Reply = { prompt: string; completion: string; finished: boolean; rollout: Rollout }

/** One reply to each prompt; the same purpose gives the same draws. */
export async function replies(
  stage: Stage,
  model: Model,
  prompts: readonly string[],
  purpose: string,
  { temperature = 1 }: { temperature?: number } = {},
): Promise<Reply[]> {
  const { engine, tokenizer, seed, settings, signal } = stage
  const rollouts = await sampleRollouts(
    engine,
    model,
    prompts.map((prompt) => tokenizer.encodePrompt(prompt)),
    {
      maxTokens: settings.ppo.maxTokens,
      temperature,
      stopTokens: tokenizer.eosIds,
      seed: deriveSeed(seed, 'quickstart', purpose),
      ...(signal && { signal }),
    },
  )
  return rollouts.map((rollout, i) => ({
    prompt: prompts[i]!,
    completion: tokenizer.decode(rollout.completion, { skipSpecial: true }),
    finished: rollout.hasEnded,
    rollout,
  }))
}

/** The simulated gold's score of each reply. */
export function goldOf({ domain }: Pick<Stage, 'domain'>, rows: readonly Reply[]): number[] {
  return rows.map(({ prompt, completion, finished }) => domain.gold.read(prompt, completion, { finished }).score)
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length
}
