// The reward model: pairs of any shape to soft targets and weights, one score head on the model it starts from.
import { type PairExample, reward, rewardAccuracy, scoresOf } from '#align'
import { loadTokenizer } from '#text'
import type { RewardJob } from './jobs.ts'
import { artifactsOf, readPairs } from './rows.ts'
import { modelLimit, startOrResume } from './start.ts'
import { pairExamples, requireRows, usable } from './tokens.ts'
import type { Context, Prepared } from './train.ts'

/** Completions that fix the zero and the unit of the scores. */
const REFERENCE_ROWS = 300
/** A held-out pair counts as decided when its probability is further than this from a half. */
export const DECIDED_BY = 0.2

export async function prepareReward(job: RewardJob, context: Context): Promise<Prepared> {
  const { engine, say, resume } = context
  const { config } = job
  const tokenizer = loadTokenizer(job.model)
  const limits = { maxTokens: modelLimit(job.model) }
  const pairsOf = async (file: string, what: string) => {
    const { preferences, from, method, alpha, simulated } = await readPairs(file, { seed: config.seed })
    if (method !== undefined)
      say(`${what}: judgements aggregated by ${method}${simulated ? ' (simulated annotators)' : ''}`)
    const tokenized = await pairExamples(tokenizer, preferences, limits)
    const pairs = requireRows(tokenized, what, say)
    return { pairs, alpha, simulated, ...(from === 'judgements' && { preferences: usable(preferences, tokenized) }) }
  }
  const { pairs, alpha, simulated, preferences } = await pairsOf(job.data, 'pairs')
  const heldOut = job.heldOut === undefined ? undefined : (await pairsOf(job.heldOut, 'held-out pairs')).pairs
  const model = await startOrResume(context, 'model', {
    weights: job.model,
    lora: job.lora,
    seed: config.seed,
    heads: { scores: { names: ['reward'], read: job.read } },
  })
  return {
    recipe: reward({
      engine,
      model,
      config,
      pairs,
      ...(heldOut && { heldOut }),
      reference: completionsOf(pairs.slice(0, REFERENCE_ROWS)),
      ...(resume && { resume }),
    }),
    models: { model },
    result: 'model',
    inputs: artifactsOf({ data: job.data, heldOut: job.heldOut }, { model: job.model }),
    simulated,
    ...(preferences && { preferences }),
    finish: async () => {
      const scores = await scoresOf(engine, model, completionsOf(heldOut ?? pairs))
      const range = {
        low: scores.reduce((a, b) => Math.min(a, b), Infinity),
        high: scores.reduce((a, b) => Math.max(a, b), -Infinity),
      }
      const isDecided = heldOut?.some(({ probability }) => Math.abs(probability - 0.5) > DECIDED_BY)
      const known = { range, ...(alpha && { alpha }) }
      if (!heldOut || !isDecided) return { reward: known }
      return {
        reward: { ...known, accuracy: await rewardAccuracy(engine, model, { pairs: heldOut, decidedBy: DECIDED_BY }) },
      }
    },
  }
}

function completionsOf(pairs: readonly PairExample[]) {
  return pairs.flatMap(({ prompt, a, b }) => [
    { prompt, completion: a },
    { prompt, completion: b },
  ])
}
