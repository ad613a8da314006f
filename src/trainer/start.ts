// Models of a job: fresh from a folder, or as a checkpoint left them. Models that stand on the same frozen weights share them.
import type { Engine, HeadSpec, Model, ModelSpec } from '#engine/contract'
import { ConfigError, invariant } from '#errors'
import { baseFolderOf, isAdapterFolder, readAdapterConfig, readConfig } from '#lm'
import type { Job } from './jobs.ts'
import type { Context } from './train.ts'

type Lora = Exclude<Job, { recipe: 'pretrain' }>['lora']

/** A model whose weights do not change, and the folder they came from. */
export type Base = { model: Model; folder: string }

/** A base in fewer bytes is frozen: without adapters nothing would train. */
export function refuseUnusedBase(job: Job): void {
  if (job.recipe === 'pretrain' || job.baseDtype === undefined || job.baseDtype === 'float32') return
  if (!job.lora && !isAdapterFolder(job.model))
    throw new ConfigError(
      `--base-dtype ${job.baseDtype}: nothing would train, since such a base is frozen; give --lora-rank, or a model that is an adapter`,
    )
}

/** Most tokens of a sequence that the model was made for. */
export function modelLimit(folder: string): number {
  return readConfig(folder).maxPositionEmbeddings
}

/** A model that trains: from `weights` at the start of a run, from the checkpoint under `name` when it goes on. */
export async function startOrResume(
  { engine, resume }: Pick<Context, 'engine' | 'resume'>,
  name: string,
  {
    weights,
    lora,
    heads,
    seed,
    base,
  }: { weights: string; lora?: Lora; heads?: HeadSpec; seed: number; base?: Base | undefined },
): Promise<Model> {
  const saved = resume?.saved[name]
  invariant(!resume || saved, `the checkpoint holds no model ${name}`)
  const folder = saved?.folder ?? weights
  if (lora && !saved && isAdapterFolder(weights))
    throw new ConfigError(
      `--lora-rank: ${weights} is an adapter and trains as it is; leave the LoRA settings out, or hone merge it first`,
    )
  const trains = isAdapterFolder(folder) ? readAdapterConfig(folder).spec : (lora ?? 'all')
  const sharesBaseOf = trains === 'all' ? undefined : baseUnder(folder, base)
  return engine.load({
    from: saved ? { resume: saved } : { weights },
    trains,
    ...(sharesBaseOf && { sharesBaseOf }),
    ...(!saved && { seed, ...(heads && { heads }) }),
  })
}

/** A model that only answers. */
export function frozen(engine: Engine, weights: string, base?: Base): Promise<Model> {
  const sharesBaseOf = baseUnder(weights, base)
  return engine.load({ from: { weights }, trains: 'nothing', ...(sharesBaseOf && { sharesBaseOf }) })
}

/** What others may share of a model that was started from `folder`; nothing where its weights train. */
export function asBase(model: Model, { folder, lora }: { folder: string; lora: Lora }): Base | undefined {
  return lora || isAdapterFolder(folder) ? { model, folder } : undefined
}

function baseUnder(folder: string, base: Base | undefined): ModelSpec['sharesBaseOf'] {
  return base && baseFolderOf(folder) === baseFolderOf(base.folder) ? base.model : undefined
}
