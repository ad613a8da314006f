// The ticket of a reward model: its scores of held-out pairs against what annotation found, and as far as they are asked for,
// probes, the drift to a policy's samples, and agreement with expert ratings.
import { scoresOf } from '#align'
import {
  accuracyByAnnotator,
  atLevels,
  humanCeiling,
  ratingAgreement,
  type RatingAgreement,
  rewardTicket,
} from '#evaluate'
import { readRows } from '#data'
import { DataError } from '#errors'
import { gatherItems, type Item, rowsOfQuestion } from '#feedback'
import type { Artifact } from '#lineage'
import { annotatorsBehind, artifactsOf, pairExamples, readPairs, scoreScale } from '#trainer'
import type { Command } from 'commander'
import type { OpenModel } from './completions.ts'
import { numberOf } from './data-source.ts'
import type { Asked, Measured } from './evaluate-text.ts'
import { type RatedRow, readRatings } from './rated-rows.ts'
import { type AtLevel, driftOf, probeReward, type ScoredText } from './reward-probes.ts'
import { scoreTexts } from './reward-scores.ts'

/** What only a reward model is asked. */
export type RewardFlags = { probes?: string | true; samples?: string; ratings?: string; criterion?: string }
export const OF_REWARD = ['probes', 'samples', 'ratings'] as const

/** Completions: enough for intervals of a tenth of a standard deviation, at a tenth of the cost of all of a thousand pairs. */
export const MOST_PROBED = 300

export function addRewardFlags(command: Command): Command {
  return command
    .option(
      '--probes [n]',
      `of --reward: change so many completions of the pairs in ways whose effect is known, and score them again (default: ${MOST_PROBED})`,
    )
    .option(
      '--samples <file>',
      'of --reward: completions of a policy; how far their scores have drifted from the pairs',
    )
    .option(
      '--ratings <file>',
      'of --reward: expert ratings, rows {prompt, completion, rating, rater} or those of a campaign; correlations and kappa',
    )
}

export type MeasuredReward = Measured & {
  simulated: boolean
  settings: { probes?: number }
  artifacts: { samples?: Artifact; ratings?: Artifact }
}

/** Statistics of the ticket; from judgements also accuracy by annotator, and the human ceiling where items were judged twice or more. */
export async function measureReward(
  opened: OpenModel,
  { file, levels, seed, signal, out }: Asked,
  flags: RewardFlags,
): Promise<MeasuredReward> {
  const most = flags.probes === undefined ? undefined : probesOf(flags.probes)
  const rated = flags.ratings === undefined ? undefined : await readRatings(flags.ratings, flags.criterion)
  const { pairs, texts, judged, simulated } = await scorePairs(opened, { file, seed, out })
  const o = { seed, signal, out }
  const probes = most === undefined ? undefined : await probeReward(opened, texts, { ...o, most })
  const drift = flags.samples === undefined ? undefined : await driftOf(opened, texts, { ...o, file: flags.samples })
  const ratings = rated && (await agreementWith(opened, rated, { ...o, file: flags.ratings! }))
  const trainedOn = judged && (await annotatorsBehind(opened.folder))
  const statistics = atLevels(levels, (level) => {
    const probed = probes?.at(level)
    return {
      ...rewardTicket(pairs, { seed, level, logitsPerUnit: scoreScale(opened.folder) }),
      ...(judged && accuracyByAnnotator(pairs, judged, { seed, level, trainedOn })),
      ...(judged?.some(({ votes }) => votes.length > 1) && { ceiling: humanCeiling(judged, { seed, level }) }),
      ...(probed && { probes: probed.probes, probesLeftOut: probed.leftOut }),
      ...(drift && { drift: drift(level) }),
      ...(ratings && { ratings: ratings(level) }),
    }
  })
  const given = artifactsOf({ samples: flags.samples, ratings: flags.ratings }, {})
  return {
    rows: pairs.length,
    simulated: simulated || (rated?.some((row) => row.simulated) ?? false),
    statistics,
    settings: most === undefined ? {} : { probes: most },
    artifacts: given,
  }
}

function probesOf(probes: string | true): number {
  return numberOf('--probes', probes === true ? String(MOST_PROBED) : probes, { low: 1, isWhole: true })
}

/** The usable pairs with their scores, their completions one by one, and the judgements behind them where the file holds any. */
async function scorePairs(
  { engine, model, tokenizer, maxTokens }: OpenModel,
  { file, seed, out }: Pick<Asked, 'file' | 'seed' | 'out'>,
) {
  const { preferences, simulated, from, strata } = await readPairs(file, { seed })
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
  const pairs = rows.map(({ prompt, a, b, probability }, i) => {
    const { item } = items[i]!
    const stratum = strata.get(item)
    return {
      item,
      group: prompt.join(' '),
      ...(stratum !== undefined && { stratum }),
      scoreA: scoresA[i]!,
      scoreB: scoresB[i]!,
      probability,
      lengthA: a.length,
      lengthB: b.length,
    }
  })
  const texts = items.flatMap(({ prompt, a, b }, i): ScoredText[] => {
    const { group, scoreA, scoreB } = pairs[i]!
    return [
      { prompt, completion: a, group, score: scoreA },
      { prompt, completion: b, group, score: scoreB },
    ]
  })
  return { pairs, texts, simulated, judged: from === 'judgements' ? await itemsOf(file) : undefined }
}

async function itemsOf(file: string): Promise<Item[]> {
  return gatherItems(rowsOfQuestion((await readRows(file, { kind: 'judgements' })).rows))
}

async function agreementWith(
  opened: OpenModel,
  rated: readonly RatedRow[],
  { file, seed, signal, out }: Pick<Asked, 'file' | 'seed' | 'signal' | 'out'>,
): Promise<AtLevel<RatingAgreement>> {
  const scores = await scoreTexts(opened, rated, { signal, out, what: 'rated completions' })
  const rows = rated.flatMap(({ completion, rating }, i) => {
    const score = scores[i]
    return score ? [{ ...score, rating, item: JSON.stringify([score.group, completion]) }] : []
  })
  return (level) => {
    try {
      return ratingAgreement(rows, { seed, level })
    } catch (error) {
      throw error instanceof DataError ? new DataError(error.message, { file }, { cause: error }) : error
    }
  }
}
