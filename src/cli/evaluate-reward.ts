// The ticket of a reward model: its scores of held-out pairs against what annotation found.
import { scoresOf } from '#align'
import { humanCeiling, rewardTicket } from '#evaluate'
import { readRows } from '#data'
import { DataError } from '#errors'
import { gatherItems, rowsOfQuestion } from '#feedback'
import type { Interval } from '#stats'
import { pairExamples, readPairs, scoreScale } from '#trainer'
import type { OpenModel } from './completions.ts'
import type { Asked, Measured } from './evaluate-text.ts'

/** Statistics of the ticket; from judgements also the human ceiling, where items were judged twice or more. */
export async function measureReward(
  { engine, model, tokenizer, folder, maxTokens }: OpenModel,
  { file, level, seed, out }: Asked,
): Promise<Measured & { simulated: boolean }> {
  const { preferences, simulated, from } = await readPairs(file, { seed })
  const { rows, setAside } = await pairExamples(tokenizer, preferences, { maxTokens })
  const first = setAside[0]
  if (first)
    out.say(`${setAside.length} of ${preferences.length} pairs are set aside; pair ${first.row + 1} ${first.reason}`)
  if (rows.length === 0) throw new DataError('expected at least one usable pair, got none', { file })
  const isAside = new Set(setAside.map(({ row }) => row))
  const items = preferences.filter((_, i) => !isAside.has(i))
  const completions = (side: 'a' | 'b') => rows.map((row) => ({ prompt: row.prompt, completion: row[side] }))
  const scoresA = await scoresOf(engine, model, completions('a'))
  const scoresB = await scoresOf(engine, model, completions('b'))
  const ticket = rewardTicket(
    rows.map(({ prompt, a, b, probability }, i) => ({
      item: items[i]!.item,
      group: prompt.join(' '),
      scoreA: scoresA[i]!,
      scoreB: scoresB[i]!,
      probability,
      lengthA: a.length,
      lengthB: b.length,
    })),
    { seed, level, logitsPerUnit: scoreScale(folder) },
  )
  const ceiling = from === 'judgements' ? await ceilingOf(file, { seed, level }) : undefined
  return { rows: rows.length, simulated, statistics: { ...ticket, ...(ceiling && { ceiling }) } }
}

async function ceilingOf(file: string, o: { seed: number; level: number }): Promise<Interval | undefined> {
  const items = gatherItems(rowsOfQuestion((await readRows(file, { kind: 'judgements' })).rows))
  return items.some(({ votes }) => votes.length > 1) ? humanCeiling(items, o) : undefined
}
