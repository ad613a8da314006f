// What hone's recipes and TRL's trainers are given to race on: one model folder, rows of spread lengths, one pass over them.
import { generator } from '#stats'

export const WHATS = ['sft', 'reward'] as const
export type What = (typeof WHATS)[number]

export type RecipeWork = {
  what: What
  model: string
  /** Adapters of rank 16 on all linear layers instead of all weights. */
  isLora: boolean
  threads: number
  batchSize: number
  rows: { prompt: number[]; completion: number[]; rejected: number[] }[]
}

/** After the first step, which warms up, until the last has ended. A token counts if it is a row's own, not padding. */
export type RecipeAnswer = {
  setting: string
  version: string
  /** Tokens of SFT, pairs of reward. */
  perSecond: number
  perCpuSecond: number
  peakMemoryBytes: number
  /** SFT: loss a token of the first batch before training, on which both sides must agree. */
  firstLoss?: number
}

/** Prompts and completions with log-normal lengths, medians 60 and 70 tokens, spread 0.6: between 8 and 240. */
export function makeRecipeWork(o: Omit<RecipeWork, 'rows'> & { steps: number; vocabulary: number }): RecipeWork {
  const { steps, vocabulary, ...work } = o
  const draw = generator(7)
  const text = (median: number): number[] => {
    const length = Math.round(Math.min(240, Math.max(8, median * Math.exp(0.6 * draw.normal()))))
    return Array.from({ length }, () => 3 + draw.int(vocabulary - 3))
  }
  const rows = Array.from({ length: steps * o.batchSize }, () => ({
    prompt: text(60),
    completion: text(70),
    rejected: o.what === 'reward' ? text(70) : [],
  }))
  return { ...work, rows }
}
