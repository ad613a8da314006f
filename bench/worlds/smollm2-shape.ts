// SmolLM2-135M for benches: the real weights where they can be fetched, else random ones of exactly its shape (speed does
// not see the difference). 134.5M parameters, the output matrix tied to the embedding.
import { createFolder, importGguf, type ModelConfig } from '#lm'
import { smollm2 } from '../../scripts/smollm2.ts'

export const SMOLLM2: ModelConfig = {
  architecture: 'LlamaForCausalLM',
  vocabSize: 49_152,
  hiddenSize: 576,
  intermediateSize: 1536,
  layers: 30,
  heads: 9,
  keyValueHeads: 3,
  headDim: 64,
  rmsNormEps: 1e-5,
  ropeTheta: 100_000,
  tieWordEmbeddings: true,
  maxPositionEmbeddings: 8192,
  eosTokenIds: [2],
  dtype: 'float32',
}

export const STORED_PARAMETERS = 134_515_008

/** Weights of one layer's matrices, [output, input] each. */
export const LAYER_MATRICES = [
  [960, 576],
  [576, 576],
  [3072, 576],
  [576, 1536],
] as const

/** Writes `to`, which must not exist. `isRandom`: do not look for the real ones. */
export function makeSmollm2(to: string, { isRandom = false } = {}): { folder: string; isReal: boolean } {
  const found = isRandom ? { missing: '' } : smollm2()
  if ('file' in found) importGguf({ file: found.file, to })
  else createFolder({ config: SMOLLM2, seed: 1, to })
  return { folder: to, isReal: 'file' in found }
}
