// Where a model's weights lie: a Hugging Face folder, a run's folder (its `model`), or `base`, the bundled one.
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ConfigError } from '#errors'
import { type BaseDtype, isAdapterFolder } from '#lm'
import type { Interval } from '#stats'
import { hashFolder } from '#files'
import type { ObjectiveStamp } from '#schema'

const BASE = fileURLToPath(new URL('../../domains/customer-service/base', import.meta.url))

/** The folder behind `--model`; `flag` names the setting in the error. */
export function resolveModel(name: string, flag = '--model'): string {
  if (name === 'base') return BASE
  for (const folder of [name, join(name, 'model')])
    if (isAdapterFolder(folder)) return folder
    else if (fs.existsSync(join(folder, 'config.json')) && isModel(folder)) return folder
  throw new ConfigError(
    `${flag}: expected a model (a folder with config.json and model.safetensors, a run's folder, or base), got ${name}` +
      (fs.existsSync(join(name, 'run.json')) ? '; that run has not finished: go on with it by --resume' : ''),
  )
}

/** A model's identity in lineage. */
export const hashModel = hashFolder

/** What hone wrote beside the weights: how they were trained, so that reward and evaluation join prompts alike. */
export type ModelCard = {
  recipe: string
  /** Of the matrix products it was trained with; absent in cards written before there was a choice: float32. */
  dtype?: 'float32' | 'bfloat16'
  /** Of the frozen matrices under the adapters; absent = float32. */
  baseDtype?: BaseDtype
  /** Hashes of what went in, by role: model, data, reward, ... */
  parents: Record<string, string>
  /** True when judgements behind these weights came from simulated annotators. */
  simulated: boolean
  /** That its run was begun under. */
  objective?: ObjectiveStamp
  /** Of a reward model: accuracy on held-out decided pairs, the range of its scores on them, and how far the annotators behind it agree. */
  reward?: { accuracy?: Interval; range: { low: number; high: number }; alpha?: Interval }
  /** Of SFT: how much more its held-out completions cost under other rows' prompts, nats a token; near 0, prompts are not read. */
  sft?: { promptGain: Interval }
}

export const CARD = 'hone-training.json'

export function readCard(folder: string): ModelCard | undefined {
  const file = join(folder, CARD)
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as ModelCard) : undefined
}

export function cardText(card: ModelCard): string {
  return `${JSON.stringify(card, null, 2)}\n`
}

function isModel(folder: string): boolean {
  return ['model.safetensors', 'model.safetensors.index.json', 'pytorch_model.bin'].some((f) =>
    fs.existsSync(join(folder, f)),
  )
}

/** Logits a unit of a reward model's score: what its scaling to standard deviation 1 divided by; 1 where there was none. */
export function scoreScale(folder: string): number {
  const file = join(folder, 'hone.json')
  if (!fs.existsSync(file)) return 1
  const parsed = ScoreScale.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')))
  return parsed.success ? parsed.data.scores.affine[0]!.scale : 1
}

const ScoreScale = z.object({ scores: z.object({ affine: z.array(z.object({ scale: z.number() })).min(1) }) })
