// Rotary frequencies of a config, rounded to 32 bits where transformers rounds.
import type { LlamaConfig } from './config.ts'

/** theta^(-2i/D) for i < D/2, scaled as the config says: `linear` for every one, `llama3` by wavelength (Dubey et al., arXiv 2407.21783). */
export function inverseFrequencies({ headDim, ropeTheta, ropeScaling }: LlamaConfig): Float32Array {
  const plain = Float32Array.from({ length: headDim / 2 }, (_, i) => 1 / Math.fround(ropeTheta ** ((2 * i) / headDim)))
  if (!ropeScaling) return plain
  if (ropeScaling.type === 'linear') return plain.map((f) => f / ropeScaling.factor)
  const { factor, lowFreqFactor, highFreqFactor, originalMaxPositionEmbeddings } = ropeScaling
  return plain.map((f) => {
    const turns = (originalMaxPositionEmbeddings * f) / (2 * Math.PI)
    // Few turns over the original context: slowed by `factor`. Many: as they are. Between: a blend.
    const blend = Math.min(1, Math.max(0, (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor)))
    return (1 - blend) * (f / factor) + blend * f
  })
}
