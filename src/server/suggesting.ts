// Suggestions of a model beside pairs: where they may be, and what they do to people. Anchoring is the share of answers that agree
// with what was shown, against the share where it was hidden by lot: the draw is made for each pair and person, so the
// difference is what showing it does. A campaign whose answers measure something (gold, calibration, evaluation) has none.
import { HttpError } from '#errors'
import { bootstrap, bootstrapMean } from '#stats'
import {
  type CampaignFacts,
  countSuggestions,
  isEvaluating,
  type Query,
  type Shown,
  type StoredJudgement,
} from '#store'

/** @throws HttpError where people must answer by themselves, or where there is nothing to show */
export async function mustBeSuggestible(query: Query, campaign: CampaignFacts & { goldItems: number }): Promise<void> {
  const refuse = (why: string): never => {
    throw new HttpError(422, `suggestions: ${why}`)
  }
  if (campaign.kind !== 'pairs') refuse(`only of pairs, this campaign asks for ${campaign.kind}`)
  if (campaign.isCalibration) refuse('in a calibration round everybody answers by themselves')
  if (campaign.goldItems > 0 || campaign.goldRate > 0 || campaign.qualification)
    refuse('gold shows what people know by themselves; a campaign with gold has none')
  if (await isEvaluating(query, campaign.id)) refuse('an evaluation is what people say by themselves')
  if ((await countSuggestions(query, campaign.id)) === 0)
    refuse('no row of the dataset brings one: {better, score, source}, or margin and marginBy')
}

/** Fewer answers on a side than this show no difference that could be told. */
const FEWEST = 10
type Answer = { item: string; shown: Shown; agreed: boolean }
type Range = { value: number; low: number; high: number }
export type Anchoring = {
  /** Of each way in which it was put to people: how many answers, and the share that agrees with it. */
  groups: { shown: Shown; answers: number; agreement: Range | null }[]
  /** Shown before the answer, less hidden. Null: too few answers of one of the two. */
  difference: Range | null
}

/** Intervals are resampled over pairs: answers to one pair share what it is like. Who cannot judge neither agrees nor not. */
export function anchoringOf(judgements: readonly Pick<StoredJudgement, 'item' | 'suggestion'>[]): Anchoring {
  const answers = judgements.flatMap(({ item, suggestion }): Answer[] =>
    suggestion && suggestion.agreed !== null ? [{ item, shown: suggestion.shown, agreed: suggestion.agreed }] : [],
  )
  const of = (shown: Shown) => answers.filter((answer) => answer.shown === shown)
  const groups = (['before', 'after', 'hidden'] as const).map((shown) => {
    const own = of(shown)
    const clusters = own.map(({ item }) => item)
    const agreement = own.length === 0 ? null : bootstrapMean(own.map(shareOf), { clusters, seed: 0 })
    return { shown, answers: own.length, agreement }
  })
  const compared = answers.filter(({ shown }) => shown !== 'after')
  const isEnough = of('before').length >= FEWEST && of('hidden').length >= FEWEST
  const difference = isEnough ? bootstrap(compared, differenceOf, { seed: 0, cluster: ({ item }) => item }) : null
  return { groups, difference }
}

const shareOf = ({ agreed }: Answer): number => (agreed ? 1 : 0)

function differenceOf(sample: readonly Answer[]): number {
  const counts = { before: [0, 0], hidden: [0, 0], after: [0, 0] } as Record<Shown, [number, number]>
  for (const { shown, agreed } of sample) {
    counts[shown][0] += agreed ? 1 : 0
    counts[shown][1]++
  }
  const share = ([agreed, all]: [number, number]): number => (all === 0 ? 0.5 : agreed / all)
  return share(counts.before) - share(counts.hidden)
}
