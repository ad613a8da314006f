// Step 4: the comparison protocol. Simulated annotators qualify on gold items, then judge blind pairs of SFT samples,
// three a pair, sides drawn by seed; their judgements are aggregated into preferences.
import { saveVersion, writeRows } from '#data'
import {
  aggregate,
  type Aggregation,
  gatherItems,
  qualify,
  type Qualification,
  ratingsOf,
  reportAgreement,
  reportAnnotators,
} from '#feedback'
import { writeDurable } from '#files'
import type { Comparison, Judgement, Preference, ProtocolReport } from '#schema'
import { judgePairs, trueAccuracies } from '#simulate'
import { deriveSeed, wilson } from '#stats'
import { writeMade } from '../made-file.ts'
import { data, replies, run, type Stage, stampOf, withWeights } from './stage.ts'

export async function protocol(stage: Stage): Promise<ProtocolReport> {
  const { seed, domain, dir } = stage
  const qualification = qualifyCrowd(stage)
  const train = await judgedPairs(stage, qualification, { split: 'pairs', n: stage.settings.sizes.pairs })
  await judgedPairs(stage, qualification, { split: 'pairs-held-out', n: stage.settings.sizes.heldOutPairs })
  const judged = await saveVersion(dir, train.judgements, {
    kind: 'judgements',
    name: 'judgements',
    source: { judged: 'simulated annotators', seed, guideline: domain.guideline.name },
  })
  await saveVersion(dir, train.aggregation.preferences as unknown as Comparison[], {
    kind: 'comparisons',
    name: 'preferences',
    parents: [judged.version.version],
    source: { aggregate: train.aggregation.method },
  })
  return reportOf(stage, { ...train, qualification })
}

/** What gold items say of each annotator; deterministic, so marks and evaluation ask again. */
export function qualifyCrowd({ seed, domain, settings }: Pick<Stage, 'seed' | 'domain' | 'settings'>): Qualification[] {
  const items = domain.qualificationItems(seed, settings.sizes.qualification)
  const annotators = domain.annotators(seed)
  const judgements = judgePairs(items, {
    gold: domain.gold,
    annotators,
    overlap: annotators.length,
    seed: deriveSeed(seed, 'qualification'),
  })
  return qualify({ judgements, gold: items, comparisons: items })
}

type Judged = { comparisons: Comparison[]; judgements: Judgement[]; aggregation: Aggregation }

async function judgedPairs(
  stage: Stage,
  qualification: Qualification[],
  { split, n }: { split: 'pairs' | 'pairs-held-out'; n: number },
): Promise<Judged> {
  const { seed, domain, settings } = stage
  const prompts = domain.prompts(seed, { n, split })
  const texts = prompts.map((p) => p.prompt)
  const [first, second] = await withWeights(stage, `${run(stage, 'sft')}/model`, async (model) => [
    await replies(stage, model, texts, `${split}-a`),
    await replies(stage, model, texts, `${split}-b`),
  ])
  const comparisons = prompts
    .map(({ id, prompt, group, stratum }, i) => ({
      item: id,
      prompt,
      a: first![i]!.completion,
      b: second![i]!.completion,
      group,
      stratum,
    }))
    .filter(({ a, b }) => a !== b)
  const judgements = judgePairs(comparisons, {
    gold: domain.gold,
    annotators: domain.annotators(seed),
    overlap: settings.sizes.overlap,
    seed: deriveSeed(seed, 'judgements', split),
    guideline: domain.guideline.name,
  })
  const aggregation = aggregate({ judgements, comparisons, seed, qualification })
  writeRows(data(stage, `judgements-${split}`), judgements, { kind: 'judgements', format: 'jsonl' })
  writeMade(data(stage, `judgements-${split}`), {
    by: 'quickstart',
    parents: {},
    models: { 'pairs of': `${run(stage, 'sft')}/model` },
    guidelines: [],
    objective: stampOf(stage),
    settings: { seed, split },
  })
  writeDurable(
    data(stage, `preferences-${split}`),
    aggregation.preferences.map((row) => `${JSON.stringify(row)}\n`).join(''),
  )
  return { comparisons, judgements, aggregation }
}

function reportOf(
  { seed, domain, settings }: Stage,
  { comparisons, judgements, aggregation, qualification }: Judged & { qualification: Qualification[] },
): ProtocolReport {
  const ratings = ratingsOf(gatherItems(judgements, comparisons))
  const agreement = reportAgreement(ratings, { seed, resamples: 300 })
  const majority = aggregate({ judgements, comparisons, seed, method: 'majority' })
  const accuracy = (preferences: Preference[]) => {
    const right = preferences.map((p) => labelIsRight(domain, p))
    return wilson(
      right.reduce((a, b) => a + b, 0),
      right.length,
    )
  }
  const intervals = {
    majorityAccuracy: accuracy(majority.preferences),
    aggregateAccuracy: accuracy(aggregation.preferences),
  }
  const sides = new Map(reportAnnotators(judgements, comparisons).map((a) => [a.annotator, a]))
  const simulated = domain.annotators(seed)
  const kinds = new Map(simulated.map((a) => [a.id, a.kind]))
  const truths = trueAccuracies(simulated, { pairs: comparisons, gold: domain.gold })
  const passed = new Map(qualification.map((q) => [q.annotator, q.passed]))
  const chosen = aggregation.evidence.find((e) => e.method === aggregation.method)
  return {
    annotators: sides.size,
    alpha: agreement.alpha,
    majorityAccuracy: intervals.majorityAccuracy.value,
    aggregateAccuracy: intervals.aggregateAccuracy.value,
    intervals,
    guideline: domain.guideline.name,
    comparisons: comparisons.length,
    judgements: judgements.length,
    overlap: settings.sizes.overlap,
    method: aggregation.method,
    ...(chosen && {
      methodReason: `held-out log-likelihood ${chosen.heldOutLogLikelihood.toFixed(4)} a judgement, best of ${aggregation.evidence.length} methods`,
    }),
    agreement: [
      { name: 'percent agreement', ...agreement.percent },
      { name: 'Fleiss kappa', ...agreement.fleiss },
      { name: 'Gwet AC1', ...agreement.gwetAC1 },
    ],
    table: aggregation.annotators.map(({ annotator, judgements: count, skill, answerWeight }) => {
      const side = sides.get(annotator)
      const truth = truths.get(annotator)
      return {
        name: annotator,
        judgements: count,
        accuracy: skill,
        ...(truth !== undefined && { trueAccuracy: truth }),
        ...(side?.leftShare && {
          leftRate: {
            value: side.leftShare.value,
            low: side.leftShare.low,
            high: side.leftShare.high,
            ...(side.leftShare.n !== undefined && { n: side.leftShare.n }),
          },
          sideBiased: side.leftShare.adjusted < 0.05,
        }),
        qualified: passed.get(annotator) ?? false,
        ...(answerWeight !== undefined && { weight: answerWeight }),
        ...(kinds.has(annotator) && { kind: kinds.get(annotator)! }),
      }
    }),
  }
}

/** 1: the simulated gold agrees with the preferred side; a half for a probability of a half. */
export function labelIsRight(domain: Stage['domain'], { prompt, a, b, probability }: Preference): number {
  if (probability === 0.5) return 0.5
  const isAGood = domain.gold.read(prompt as string, a).score > domain.gold.read(prompt as string, b).score
  return Number(isAGood === probability > 0.5)
}
