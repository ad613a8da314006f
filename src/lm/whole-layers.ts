// Layers that torch's `decodeLayer` takes whole, one new token a row: Llama's and those built like it. The others go op by op
// (decoder.ts), which is what its tests hold this to. Legend: B rows.
import { type DecodedLayer, decodeLayer, fromArray, type Tensor } from '#torch'
import { formOf } from './attention.ts'
import type { Matrix } from './arithmetic.ts'
import type { Layer, Pass } from './decoder.ts'
import type { Stored } from './decoding-arithmetic.ts'
import type { Sampled } from './fill-cache.ts'
import type { LanguageModel } from './model.ts'
import { rotaryWidth } from './rope.ts'

/** For a step of rows whose sequences have lengths_B tokens, the new one included; undefined where no layer is of the kind. In the caller's scope. */
export function wholeLayers(sampled: Sampled, lengths_B: Int32Array): Pass['layerAtOnce'] {
  const { model, cache, decoding } = sampled
  if (!isLikeLlama(model)) return undefined
  const longest = lengths_B.reduce((most, length) => Math.max(most, length), 0)
  const lengths = fromArray(lengths_B)
  return (x, i, tables) => {
    const form = formOf(model.config, i, longest)
    if (!form.isPlain) return undefined
    const layer = decodedLayer(model.decoder.layers[i]!, model.config.rmsNormEps, (matrix) =>
      decoding.stored(matrix, lengths_B.length),
    )
    return layer && decodeLayer(x, layer, { ...cache.layers[i]!, tables, lengths, scale: form.scale })
  }
}

function isLikeLlama({ config, decoder: { design }, device }: LanguageModel): boolean {
  return (
    device === 'cpu' &&
    design.norm === 'rms' &&
    !!design.attentionIn &&
    !!design.mlpIn &&
    !design.attentionOut &&
    !design.mlpOut &&
    !design.queryKeyNorm &&
    !design.isByHead &&
    !design.positions &&
    design.isGated &&
    (config.activation ?? 'silu') === 'silu' &&
    !config.isParallel &&
    rotaryWidth(config) === config.headDim
  )
}

type Four = [Tensor, Tensor, Tensor, Tensor]

function decodedLayer(
  layer: Layer,
  epsilon: number,
  stored: (matrix: Matrix) => Stored | undefined,
): DecodedLayer | undefined {
  if (layer.output.bias || layer.up.bias || layer.down.bias) return undefined
  const four = [layer.qkv, layer.output, layer.up, layer.down].map(stored)
  if (four.some((s) => !s)) return undefined
  const scales = four.flatMap((s) => s!.scales ?? [])
  return {
    norms: [layer.attentionIn!.weight, layer.mlpIn!.weight],
    weights: four.map((s) => s!.weight) as Four,
    ...(scales.length > 0 && { scales: scales as Four }),
    ...(layer.qkv.bias && { qkvBias: layer.qkv.bias }),
    epsilon,
    rounds: four.every((s) => s!.rounds === true),
  }
}
