// The ticket of a reward model: its scores of held-out pairs against what annotation found.
import { scoresOf } from '#align'
import { atLevels, humanCeiling, rewardTicket } from '#evaluate'
import { readRows } from '#data'
import { DataError } from '#errors'
import { gatherItems, type Item, rowsOfQuestion } from '#feedback'
import { pairExamples, readPairs, scoreScale } from '#trainer'
import type { OpenModel } from './completions.ts'
import type { Asked, Measured } from './evaluate-text.ts'

/** Statistics of the ticket; from judgements also the human ceiling, where items were judged twice or more. */
export async function measureReward(
  { engine, model, tokenizer, folder, maxTokens }: OpenModel,
  { file, levels, seed, out }: Asked,
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
  const scored = rows.map(({ prompt, a, b, probability }, i) => ({
    item: items[i]!.item,
    group: prompt.join(' '),
    scoreA: scoresA[i]!,
    scoreB: scoresB[i]!,
    probability,
    lengthA: a.length,
    lengthB: b.length,
  }))
  const judged = from === 'judgements' ? await itemsWithSecondVotes(file) : undefined
  const statistics = atLevels(levels, (level) => ({
    ...rewardTicket(scored, { seed, level, logitsPerUnit: scoreScale(folder) }),
    ...(judged && { ceiling: humanCeiling(judged, { seed, level }) }),
  }))
  return { rows: rows.length, simulated, statistics }
}

/** What a human ceiling is computed from; undefined where nobody judged what another had. */
async function itemsWithSecondVotes(file: string): Promise<Item[] | undefined> {
  const items = gatherItems(rowsOfQuestion((await readRows(file, { kind: 'judgements' })).rows))
  return items.some(({ votes }) => votes.length > 1) ? items : undefined
}
