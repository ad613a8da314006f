// Step 7: the kept policy against SFT on prompts of customers nobody trained on: blind win rate by simulated annotators,
// criteria one by one, constraint violations on the same prompts, gates, and the verdict.
import { join } from 'node:path'
import { writeRows } from '#data'
import {
  atLevels,
  compareCriteria,
  compareViolations,
  type CriterionChange,
  decideRelease,
  type Gate,
  gatesOfObjective,
  levelsOfTargets,
  type Verdict,
  type Violations,
  type Weighted,
  weightedChange,
  winRate,
  type WinRate,
} from '#evaluate'
import { writeDurable } from '#files'
import { objectivesBehind, objectivesDiffer, writeEvaluation } from '#lineage'
import type { Comparison, EvaluationReport, Judgement, SampleReport } from '#schema'
import { judgePairs } from '#simulate'
import { deriveSeed } from '#stats'
import { artifactsOf } from '#trainer'
import { writeRelease } from '../gate.ts'
import { version } from '../version.ts'
import { generalRatio } from './fine-tune.ts'
import { qualifyCrowd } from './protocol.ts'
import { data, goldOf, replies, type Reply, run, type Stage, stampOf, withWeights } from './stage.ts'

/** Of the intervals that the report shows. */
const LEVEL = 0.95

const ownGates = ({ general }: Stage): Gate[] => [
  { name: 'preferred blind', statistic: 'natural.winRate', bound: 'low', comparison: 'above', value: 0.5 },
  {
    name: 'general text kept',
    statistic: 'general.perplexityRatio',
    bound: 'value',
    comparison: 'below',
    value: general.most,
  },
  {
    name: 'refunds within the limit',
    statistic: 'refundBilling.increase',
    bound: 'value',
    comparison: 'at-most',
    value: 0,
  },
]

/** Replies of SFT and of the kept policy to the same prompts. */
async function both(stage: Stage, prompts: string[], purpose: string): Promise<{ before: Reply[]; after: Reply[] }> {
  const drawing = stage.settings.evaluation
  const of = (name: string) =>
    withWeights(stage, `${run(stage, name)}/model`, (model) => replies(stage, model, prompts, purpose, drawing))
  return { before: await of('sft'), after: await of('ppo') }
}

export async function evaluate(stage: Stage): Promise<{ evaluation: EvaluationReport; samples: SampleReport[] }> {
  const { domain, seed, settings } = stage
  const suites = domain.suites(seed, {
    natural: settings.sizes.evaluation,
    violations: settings.sizes.violations,
    refundBilling: settings.sizes.violations,
  })
  const prompts = (name: string) => suites.find((s) => s.name === name)!.prompts
  const natural = prompts('natural')
  const { before, after } = await both(
    stage,
    natural.map((p) => p.prompt),
    'natural',
  )
  const scores = criterionScores(stage, before, after)
  const judged = judgeBlind(stage, natural, { before, after })
  const broken = {
    violations: await violationsOn(stage, prompts('violations'), 'violations'),
    refunds: await violationsOn(stage, prompts('refund-billing'), 'refund-billing'),
  }
  const clusters = natural.map((p) => p.group)
  const measure = (level: number) => ({
    win: winRate({ ...judged, seed, level }),
    criteria: compareCriteria(scores, { seed, level, clusters }),
    weighted: weightedChange(domain.objective, scores, { seed, level, clusters }),
    violations: compareViolations(broken.violations.before, broken.violations.after, level),
    refunds: compareViolations(broken.refunds.before, broken.refunds.after, level),
  })
  const found = measure(LEVEL)
  const { win, criteria, weighted, violations, refunds } = found
  const ratio = await generalRatio(stage, `${run(stage, 'ppo')}/model`)
  const statistics = {
    ...atLevels([LEVEL, ...levelsOfTargets(domain.objective)], (level) =>
      statisticsOf(level === LEVEL ? found : measure(level)),
    ),
    general: { perplexityRatio: ratio },
  }
  const rules = [...gatesOfObjective(domain.objective), ...ownGates(stage)]
  const decided = decideRelease(rules, statistics)
  keepRecords(stage, { rules, decided, statistics, rows: natural.length })
  const { verdict, gates, reasons } = decided
  return {
    evaluation: {
      winRate: { value: win.value, low: win.low, high: win.high, n: natural.length },
      criteria: criteria.map(({ name, before: b, after: a, change, p }) => ({ name, before: b, after: a, change, p })),
      ...(weighted && { weighted: weightedReport(weighted) }),
      violations: {
        n: violations.n,
        before: violations.before.value,
        after: violations.after.value,
        increaseHigh: violations.increaseHigh,
      },
      violationSuites: [
        { name: 'natural mix', before: violations.before, after: violations.after, increase: violations.increase },
        { name: 'refund and billing', before: refunds.before, after: refunds.after, increase: refunds.increase },
      ],
      generalRatio: ratio,
      gates,
      verdict,
      reasons,
    },
    samples: await sampleTable(stage, { before, after }),
  }
}

type Found = {
  win: WinRate
  criteria: CriterionChange[]
  weighted: Weighted | undefined
  violations: Violations
  refunds: Violations
}

/** As the targets of the objective name them: a constraint that is kept better is a change upwards. */
function statisticsOf({ win, criteria, weighted, violations, refunds }: Found) {
  const { value, low, high } = violations.increase
  return {
    natural: {
      winRate: win,
      ...Object.fromEntries(criteria.map((c) => [c.name, { change: c.change }])),
      ...(weighted && { weighted: { change: weighted } }),
    },
    violations: { limit: { change: { value: -value, low: -high, high: -low, n: violations.n } } },
    refundBilling: { increase: refunds.increase },
  }
}

function weightedReport({ value, low, high, n, weights, range, standing, holds }: Weighted) {
  return { change: { value, low, high, n }, weights, range, standing, holds }
}

/** The verdict as a release, and the evaluation behind it: what hone gate and hone lineage read. */
function keepRecords(
  stage: Stage,
  o: { rules: Gate[]; decided: Verdict; statistics: Record<string, unknown>; rows: number },
): void {
  const found = artifactsOf(
    { pairs: data(stage, 'evaluation-pairs'), judgements: data(stage, 'evaluation-judgements') },
    { model: `${run(stage, 'ppo')}/model`, against: `${run(stage, 'sft')}/model` },
  )
  const records = recordsOf(stage)
  const { pairs: _, ...behind } = found
  const objective = stampOf(stage)
  const differ = objectivesDiffer({ what: 'this gate', objective }, objectivesBehind(behind))
  if (differ !== undefined) stage.out.warn(differ)
  writeEvaluation(records.evaluation, {
    kind: 'evaluation',
    hone: version(),
    metric: 'win-rate, criteria, violations',
    model: found.model!,
    against: found.against!,
    suite: { name: 'natural', ...found.pairs!, rows: o.rows },
    judgements: [found.judgements!],
    objective,
    ...(differ !== undefined && { objectivesDiffer: differ }),
    settings: { level: LEVEL, seed: stage.seed, ...stage.settings.evaluation },
    simulated: true,
    statistics: o.statistics,
  })
  writeDurable(records.rules, `${JSON.stringify(o.rules, null, 2)}\n`)
  writeRelease(records.release, {
    verdict: o.decided,
    model: found.model!,
    rules: records.rules,
    objective: { ...objective, path: join(stage.dir, 'objective.json') },
    objectivesDiffer: differ,
    evaluations: [{ file: records.evaluation }],
    simulated: true,
  })
}

export function recordsOf({ dir }: Pick<Stage, 'dir'>): Record<'evaluation' | 'rules' | 'release', string> {
  return {
    evaluation: join(dir, 'evaluation.json'),
    rules: join(dir, 'gates.json'),
    release: join(dir, 'release.json'),
  }
}

function criterionScores({ domain }: Stage, before: Reply[], after: Reply[]) {
  const read = (rows: Reply[]) =>
    rows.map(({ prompt, completion, finished }) => domain.simulatedCriteria(prompt, completion, { finished }))
  const [b, a] = [read(before), read(after)]
  return (Object.keys(b[0]!) as (keyof (typeof b)[number])[]).map((name) => ({
    name,
    before: b.map((row) => row[name]),
    after: a.map((row) => row[name]),
  }))
}

/** Simulated annotators judge candidate against SFT, sides drawn by seed, three a pair. */
function judgeBlind(
  stage: Stage,
  prompts: { id: string; prompt: string; group: string }[],
  { before, after }: { before: Reply[]; after: Reply[] },
): { judgements: Judgement[]; comparisons: Comparison[] } {
  const { domain, seed, settings } = stage
  const comparisons: Comparison[] = prompts.map(({ id, prompt, group }, i) => ({
    item: `evaluation-${id}`,
    prompt,
    group,
    a: after[i]!.completion,
    b: before[i]!.completion,
  }))
  const qualified = qualifyCrowd({ domain, seed, settings }).flatMap((q) => (q.passed ? [q.annotator] : []))
  const judgements = judgePairs(
    comparisons.filter(({ a, b }) => a !== b),
    {
      gold: domain.gold,
      annotators: domain.annotators(seed),
      overlap: settings.sizes.overlap,
      qualified,
      seed: deriveSeed(seed, 'evaluation'),
      guideline: domain.guideline.name,
    },
  )
  writeRows(data(stage, 'evaluation-pairs'), comparisons, { kind: 'comparisons', format: 'jsonl' })
  writeRows(data(stage, 'evaluation-judgements'), judgements, { kind: 'judgements', format: 'jsonl' })
  return { judgements, comparisons }
}

/** Which replies break the hard constraint. */
async function violationsOn(stage: Stage, prompts: { prompt: string }[], purpose: string) {
  const { before, after } = await both(
    stage,
    prompts.map(({ prompt }) => prompt),
    purpose,
  )
  const broken = (rows: Reply[]) =>
    rows.map(({ prompt, completion }) => stage.domain.simulatedViolation(prompt, completion))
  return { before: broken(before), after: broken(after) }
}

/** The same eight prompts, answered by base, SFT and the kept policy. */
async function sampleTable(
  stage: Stage,
  { before, after }: { before: Reply[]; after: Reply[] },
): Promise<SampleReport[]> {
  const shown = before.slice(0, stage.settings.sizes.watched)
  const base = await withWeights(stage, stage.base, (model) =>
    replies(
      stage,
      model,
      shown.map((r) => r.prompt),
      'natural',
      stage.settings.evaluation,
    ),
  )
  const golds = { base: goldOf(stage, base), sft: goldOf(stage, before), rl: goldOf(stage, after) }
  return shown.map(({ prompt }, i) => ({
    prompt,
    completions: [
      {
        from: 'base' as const,
        text: base[i]!.completion,
        tokens: base[i]!.rollout.completion.length,
        gold: golds.base[i]!,
      },
      {
        from: 'sft' as const,
        text: before[i]!.completion,
        tokens: before[i]!.rollout.completion.length,
        gold: golds.sft[i]!,
      },
      {
        from: 'rl' as const,
        text: after[i]!.completion,
        tokens: after[i]!.rollout.completion.length,
        gold: golds.rl[i]!,
      },
    ],
  }))
}
