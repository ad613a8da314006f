// Models of a job: fresh from a folder, or as a checkpoint left them.
import type { Engine, HeadSpec, Model } from '#engine/contract'
import { invariant } from '#errors'
import { readConfig } from '#lm'
import type { Context } from './train.ts'

/** Most tokens of a sequence that the model was made for. */
export function modelLimit(folder: string): number {
  return readConfig(folder).maxPositionEmbeddings
}

/** A model that trains: from `weights` at the start of a run, from the checkpoint under `name` when it goes on. */
export function startOrResume(
  { engine, resume }: Pick<Context, 'engine' | 'resume'>,
  name: string,
  { weights, heads, seed }: { weights: string; heads?: HeadSpec; seed: number },
): Promise<Model> {
  if (!resume) return engine.load({ from: { weights }, trains: 'all', seed, ...(heads && { heads }) })
  const saved = resume.saved[name]
  invariant(saved, `the checkpoint holds no model ${name}`)
  return engine.load({ from: { resume: saved }, trains: 'all' })
}

/** A model that only answers. */
export function frozen(engine: Engine, weights: string): Promise<Model> {
  return engine.load({ from: { weights }, trains: 'nothing' })
}
