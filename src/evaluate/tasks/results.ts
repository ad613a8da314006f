// What became of a task: a line an answer, accuracy with its interval, and the change from an earlier evaluation of the same
// rows, paired (Tango's interval and McNemar's test of single yes-or-no answers; bootstrap and permutation of others).
import { DataError } from '#errors'
import { average, boundedMean, deriveSeed, type Interval, mcnemar, pairedPermutation, pairedRateChange } from '#stats'
import { z } from 'zod'
import { meanScore } from '../graders.ts'

/** One answer, as it lies in the log beside an evaluation. */
export const TaskSample = z.object({
  /** Hash of the task. */
  task: z.string(),
  id: z.string(),
  group: z.string(),
  /** Counts from 1 where a row is answered several times. */
  sample: z.number().int().positive().optional(),
  /** SHA-256 of what the model was shown: the text, or the canonical JSON of the turns. */
  promptHash: z.string(),
  /** Of this row's draws. */
  seed: z.number(),
  output: z.string(),
  score: z.number().min(0).max(1),
  finished: z.boolean().optional(),
  tokens: z.number().optional(),
  /** Of multiple choice: the score by the other two ways, and nats and tokens of each choice. */
  acc_norm: z.number().optional(),
  acc_token: z.number().optional(),
  logprobs: z.array(z.number()).optional(),
  tokensOfChoices: z.array(z.number()).optional(),
})
export type TaskSample = z.infer<typeof TaskSample>

type Options = { seed: number; level: number }

/** accuracy, and where there are any: acc_norm, acc_token and chance, or the share that ended by itself. */
export function taskStatistics(
  samples: readonly TaskSample[],
  { seed, level, chance }: Options & { chance?: number },
): Record<string, unknown> {
  const clusters = samples.map(({ group }) => group)
  const mean = (name: string, of: (sample: TaskSample) => number) =>
    meanScore(samples.map(of), { seed: deriveSeed(seed, name), level, clusters })
  const accuracy = mean('accuracy', ({ score }) => score)
  if (chance === undefined) return { accuracy, finished: mean('finished', ({ finished }) => Number(finished)) }
  return {
    accuracy,
    acc_norm: mean('acc_norm', (sample) => sample.acc_norm!),
    acc_token: mean('acc_token', (sample) => sample.acc_token!),
    chance,
  }
}

export type TaskChange = Interval & { p: number; gained: number; lost: number }

/**
 * Accuracy now minus before, over the same rows. `gained`, `lost`: rows that do better or worse than before.
 * @throws DataError where the two did not answer the same prompts of the same task
 */
export function taskChange(
  before: readonly TaskSample[],
  after: readonly TaskSample[],
  { seed, level }: Options,
): TaskChange {
  checkPaired(before, after)
  const rowsAfter = byRow(after)
  const pairs = [...byRow(before)].map(([id, row]) => ({ ...row, after: rowsAfter.get(id)!.score }))
  const differences = pairs.map((pair) => pair.after - pair.score)
  const gained = differences.filter((d) => d > 0).length
  const lost = differences.filter((d) => d < 0).length
  const clusters = pairs.map(({ group }) => group)
  const isYesOrNo = pairs.every((pair) => [0, 1].includes(pair.score) && [0, 1].includes(pair.after))
  if (isYesOrNo && new Set(clusters).size === pairs.length)
    return {
      ...pairedRateChange({ onlyBefore: lost, onlyAfter: gained, n: pairs.length }, level),
      p: mcnemar(lost, gained),
      gained,
      lost,
    }
  return {
    ...boundedMean(differences, { bounds: [-1, 1], seed: deriveSeed(seed, 'change'), level, clusters }),
    p: pairedPermutation(differences, { seed: deriveSeed(seed, 'change'), clusters }),
    gained,
    lost,
  }
}

/** Mean score of each row, in order. */
function byRow(samples: readonly TaskSample[]): Map<string, { score: number; group: string }> {
  const rows = new Map<string, { scores: number[]; group: string }>()
  for (const { id, group, score } of samples) {
    const row = rows.get(id) ?? { scores: [], group }
    row.scores.push(score)
    rows.set(id, row)
  }
  return new Map([...rows].map(([id, { scores, group }]) => [id, { score: average(scores), group }]))
}

function checkPaired(before: readonly TaskSample[], after: readonly TaskSample[]): void {
  const ids = new Map(before.map(({ id, promptHash }) => [id, promptHash]))
  const other = after.find(({ id, promptHash }) => ids.get(id) !== promptHash)
  const rows = new Set(after.map(({ id }) => id)).size
  if (before[0]?.task === after[0]?.task && !other && rows === ids.size) return
  const what =
    before[0]?.task !== after[0]?.task
      ? 'the task was another one'
      : other
        ? `row ${other.id} was asked otherwise (another seed draws other examples)`
        : `it has ${ids.size} rows and not ${rows}`
  throw new DataError(`cannot be compared row by row: ${what}; evaluate the earlier model on this task again`)
}
