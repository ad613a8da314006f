// A model folder with fresh weights, for pretraining. N(0, 0.02) as in Llama's own initializer_range; what writes into
// the residual stream is divided by sqrt(2 layers) (GPT-2), so that its scale does not grow with depth.
import type { Content } from '#files'
import type { Saved } from '#engine/contract'
import type { ModelConfig } from './config.ts'
import { writeFolder } from './folder.ts'
import { bodyPlan } from './decoder.ts'
import type { TensorEntry } from './safetensors.ts'
import { normals } from './seeded.ts'

const DEVIATION = 0.02

/** Writes `to`, which must not exist. `extraFiles`: a tokenizer's, by name. The same seed gives the same bytes. */
export function createFolder(o: {
  config: ModelConfig
  seed: number
  to: string
  extraFiles?: Record<string, Content>
}): Saved {
  const { config, seed, to, extraFiles = {} } = o
  const residual = DEVIATION / Math.sqrt(2 * config.layers)
  const tensors = bodyPlan(config, { hasHead: true }).flatMap(({ shape, parts, initial, isResidual }) =>
    parts.map(({ key, rows }): TensorEntry => {
      const own = [rows, ...shape.slice(1)]
      const deviation = isResidual ? residual : DEVIATION
      const bytes = (): Uint8Array => {
        const count = own.reduce((a, b) => a * b, 1)
        const values =
          initial === undefined
            ? normals(seed, key, count).map((x) => x * deviation)
            : new Float32Array(count).fill(initial)
        return new Uint8Array(values.buffer)
      }
      return { name: key, dtype: 'F32', shape: own, bytes }
    }),
  )
  return { folder: to, files: writeFolder({ to, config, tensors, extraFiles }) }
}
