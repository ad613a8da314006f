// What both sides of the race are given: one model folder, the same rows, the same thread count; and what each answers.
import { createFolder } from '#lm'

/** Widths of the bundled base with one layer more, and one of about 5M parameters. */
export const SHAPES = {
  'D128 L4': { hiddenSize: 128, intermediateSize: 320, layers: 4, heads: 4 },
  '5M': { hiddenSize: 256, intermediateSize: 688, layers: 6, heads: 4 },
} as const
export type ShapeName = keyof typeof SHAPES

const VOCABULARY = 896

export type Work = {
  model: string
  threads: number
  seconds: number
  /** Batches of training rows: all tokens, of which those from `scoredFrom` on are trained. */
  batches: { tokens: number[]; scoredFrom: number }[][]
  prompts: number[][]
  newTokens: number
}

export type Answer = {
  /** Which variant was the fastest, of those that were tried. */
  setting: string
  version: string
  perSecond: number
  perCpuSecond: number
  peakMemoryBytes: number
  /** Before the work: interpreter, libraries, model. */
  startMemoryBytes: number
  /** Mean loss of the first batch at the start: both sides must agree on it. */
  firstLoss?: number
  matmulPerCpuSecond: number
}

export function makeModel(shape: ShapeName, to: string): void {
  const { hiddenSize, heads } = SHAPES[shape]
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: VOCABULARY,
      ...SHAPES[shape],
      keyValueHeads: heads,
      headDim: hiddenSize / heads,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 512,
      eosTokenIds: [2],
      dtype: 'float32',
    },
    seed: 1,
    to,
  })
}

/** Batches of 32 rows, prompts of 40 to 60 tokens and completions of 20 to 60, as demonstrations have; 64 prompts to sample from. */
export function makeWork(o: Pick<Work, 'model' | 'threads' | 'seconds'>): Work {
  const token = (row: number, place: number) => 3 + ((row * 131 + place * place * 7 + place * 29) % (VOCABULARY - 3))
  const row = (i: number) => {
    const prompt = 40 + ((i * 7) % 21)
    const length = prompt + 20 + ((i * 11) % 41)
    return { tokens: Array.from({ length }, (_, t) => token(i, t)), scoredFrom: prompt }
  }
  return {
    ...o,
    batches: Array.from({ length: 8 }, (_, b) => Array.from({ length: 32 }, (__, i) => row(b * 32 + i))),
    prompts: Array.from({ length: 64 }, (_, i) => Array.from({ length: 40 + (i % 21) }, (__, t) => token(i, t))),
    newTokens: 64,
  }
}

/** Multiply-adds of the weights, twice: forward once, backward twice that. Attention is not counted, and is alike on both sides. */
export function flopsPerToken(shape: ShapeName, what: 'train' | 'sample'): number {
  const { hiddenSize: E, intermediateSize: M, layers } = SHAPES[shape]
  const parameters = layers * (4 * E * E + 3 * E * M) + VOCABULARY * E
  return (what === 'train' ? 6 : 2) * parameters
}
