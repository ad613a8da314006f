// An adapter added into its base: a whole Hugging Face folder, with the heads that the adapter's folder holds. Where the
// embedding or a tied output layer is adapted, the two part.
import type { Saved } from '#engine/contract'
import { EngineError } from '#errors'
import { noGrad, scope, Tensor } from '#torch'
import { createArithmetics, mergedWeight } from './arithmetic.ts'
import { embeddingWeight } from './decoder.ts'
import { freeModel, loadModel } from './load.ts'
import type { Parameter } from './parameters.ts'
import { saveModel } from './save.ts'

/** Reads an adapter's folder and writes `to`, which must not exist. Errors: EngineError where `from` is no adapter. */
export function mergeFolder({ from, to, device = 'cpu' }: { from: string; to: string; device?: string }): Saved {
  const model = loadModel(
    { from: { weights: from }, trains: 'nothing' },
    { id: 0, device, arithmetics: createArithmetics('float32'), base: undefined },
  )
  try {
    if (!model.adapter) throw new EngineError(`${from}: expected an adapter, got a whole model`)
    return scope(() =>
      noGrad(() => {
        const { decoder, config } = model
        const { design, head, embeddingAdapter, layers } = decoder
        const merged = new Map<Tensor, Tensor>()
        for (const layer of layers)
          for (const matrix of [layer.qkv, layer.output, layer.up, layer.down])
            if (matrix.weight instanceof Tensor) merged.set(matrix.weight, mergedWeight(matrix))
        const isTied = config.tieWordEmbeddings
        const isParted = isTied && (embeddingAdapter !== undefined || head?.adapter !== undefined)
        const weights: Parameter[] = model.weights.map((p) => ({ ...p, tensor: merged.get(p.tensor) ?? p.tensor }))
        const replace = (module: string, tensor: Tensor): void => {
          const name = `${module}.weight`
          const known = weights.find((p) => p.name === name)
          if (known) known.tensor = tensor
          else weights.push({ ...weights[0]!, name, parts: [{ key: name, rows: config.vocabSize }], tensor })
        }
        if (head && (head.adapter || isParted)) replace(design.head, mergedWeight(head))
        if (embeddingAdapter) replace(design.embedding, embeddingWeight(decoder))
        const { adapter: _, ...whole } = model
        return saveModel(
          { ...whole, weights, body: weights, config: { ...config, tieWordEmbeddings: isTied && !isParted } },
          'weights',
          to,
        )
      }),
    )
  } finally {
    freeModel(model)
  }
}
