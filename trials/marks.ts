// Which rule should choose the best mark? Runs whose true quality along KL is known are judged as marks are, 200 pairs
// against the reference and 200 against the best so far; printed is the share of the attainable gain that each rule keeps.
// The curves are those of three rehearsed runs of the customer-service world and one that peaks late. `npm run trials -- marks`
import { bestMark, decide } from '#align'
import { deriveSeed, type Generator, generator, normalCdf, wilson } from '#stats'

/** Mean quality (gold score) by nats of KL, linear in between; one completion's deviation is 1. */
const CURVES: Record<string, [kl: number, gold: number][]> = {
  'flat peak': [
    [0, 0.4],
    [0.4, 0.66],
    [0.8, 0.79],
    [1.8, 0.8],
    [2.6, 0.78],
    [3.4, 0.7],
    [5, 0.5],
    [7, 0.35],
  ],
  'early peak': [
    [0, 0.45],
    [0.4, 0.76],
    [0.8, 0.82],
    [1.8, 0.74],
    [2.5, 0.6],
    [4.1, 0.47],
    [6.1, 0.27],
    [9, 0.03],
  ],
  'earliest peak': [
    [0, 0.35],
    [0.4, 0.62],
    [0.9, 0.68],
    [1.7, 0.58],
    [2.8, 0.42],
    [4.2, 0.3],
    [5.7, 0.14],
    [7.4, 0.2],
  ],
  'late peak': [
    [0, 0.4],
    [0.8, 0.6],
    [1.6, 0.75],
    [2.4, 0.85],
    [3.2, 0.88],
    [4, 0.85],
    [4.8, 0.8],
    [6, 0.66],
  ],
}
const PAIRS = 200
const BUDGET = 6
/** How often the annotators' aggregate agrees with gold. */
const JUDGE_ACCURACY = 0.85
const RUNS = 300

type Mark = { step: number; kl: number }
type Contest = { a: number; b: number; wins: number; n: number }
type Rule = (marks: Mark[], contests: Contest[], best: number) => number

const RULES: Record<string, Rule> = {
  'last comparison above a half': (marks, contests, best) => {
    const { wins, n } = contests.at(-1)!
    return wins / n > 0.5 ? marks.at(-1)!.step : best
  },
  'all comparisons, ahead at all': (marks, contests) => bestMark(marks, contests, { aheadBy: 0 }).best,
  'all comparisons, ahead by one error': (marks, contests) => bestMark(marks, contests).best,
  'all comparisons, ahead by two errors': (marks, contests) => bestMark(marks, contests, { aheadBy: 2 }).best,
}

for (const [name, curve] of Object.entries(CURVES)) {
  console.log(`\n${name}`)
  for (const [rule, choose] of Object.entries(RULES)) {
    const runs = Array.from({ length: RUNS }, (_, run) => simulate(curve, choose, generator(deriveSeed(run, name))))
    const mean = (pick: (r: { kept: number; stopKl: number }) => number) =>
      runs.reduce((sum, r) => sum + pick(r), 0) / RUNS
    console.log(
      `  ${rule.padEnd(38)} keeps ${mean((r) => r.kept).toFixed(3)} of the gain, below 0.8 in ${mean((r) => Number(r.kept < 0.8)).toFixed(3)} of runs, stops at ${mean((r) => r.stopKl).toFixed(1)} nats`,
    )
  }
}

/** One run to its stop or its budget: the share of the attainable gain that its best mark has. */
function simulate(curve: [number, number][], choose: Rule, random: Generator): { kept: number; stopKl: number } {
  const marks: Mark[] = []
  const contests: Contest[] = []
  const klOf = (step: number) => marks.find((m) => m.step === step)?.kl ?? 0
  let best = 0
  let kl = 0.8
  for (let step = 1; kl < BUDGET; step++, kl += 0.8 + 0.3 * random.uniform()) {
    marks.push({ step, kl })
    const against = best
    const contest = (b: number) => {
      const gain = goldAt(curve, kl) - goldAt(curve, klOf(b))
      const p = 0.5 + (2 * JUDGE_ACCURACY - 1) * (normalCdf(gain / Math.SQRT2) - 0.5)
      const wins = Array.from({ length: PAIRS }, () => Number(random.uniform() < p)).reduce((x, y) => x + y, 0)
      contests.push({ a: step, b, wins, n: PAIRS })
      return wilson(wins, PAIRS, 0.9)
    }
    const winReference = contest(0)
    const winBest = against > 0 ? contest(against) : undefined
    best = choose(marks, contests, best)
    if (decide({ winReference, against, ...(winBest && { winBest }) }).decision === 'stop') break
  }
  const start = goldAt(curve, 0)
  const peak = Math.max(...curve.map(([, gold]) => gold))
  return { kept: (goldAt(curve, klOf(best)) - start) / (peak - start), stopKl: Math.min(kl, BUDGET) }
}

function goldAt(curve: [number, number][], kl: number): number {
  const after = curve.findIndex(([at]) => at >= kl)
  if (after <= 0) return after === 0 ? curve[0]![1] : curve.at(-1)![1]
  const [[x0, y0], [x1, y1]] = [curve[after - 1]!, curve[after]!]
  return y0 + ((y1 - y0) * (kl - x0)) / (x1 - x0)
}
