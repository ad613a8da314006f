// Statistics under simulation (`npm run trials -- statistics`): an evaluation tool that is wrong is worse than none. Bradley-Terry
// intervals cover what was planted in 93 to 97% of cases; ratings of models with style controlled hold planted ratings, and a planted
// liking for length, in 90 to 99% of 200 runs; comparing a checkpoint with itself flags a difference in 3 to 7% of 500 runs at 5%,
// by each of the tests that an evaluation uses. Prints a line a check; exits 1 if one fails.
import { compareCriteria, rateModels, winRate } from '#evaluate'
import type { Comparison, Judgement } from '#schema'
import {
  bootstrapMean,
  bradleyTerry,
  deriveSeed,
  generator,
  meanInterval,
  type PairCount,
  winProbability,
} from '#stats'
import { judgedStyles, LENGTH, RATINGS } from './worlds/judged-styles.ts'

const COVERAGE_RUNS = 200
const SAME_RUNS = 500

let failed = false
function report(name: string, share: number, low: number, high: number): void {
  const isInside = share >= low && share <= high
  failed ||= !isInside
  console.log(
    `${isInside ? 'ok  ' : 'FAIL'} ${name}: ${(100 * share).toFixed(1)}%, wanted ${Math.round(100 * low)} to ${Math.round(100 * high)}%`,
  )
}

report(
  'Bradley-Terry: 95% intervals cover planted ratings (8 players, 40 games a pair)',
  coverageOfRatings(),
  0.93,
  0.97,
)
for (const [name, share] of coverageOfModels())
  report(`judged pairs of three models: 95% interval holds ${name}`, share, 0.9, 0.99)
report('A against A, blind win rate, interval leaves out a half', shareFlagged(sameWinRate), 0.03, 0.07)
report('A against A, criterion change, bootstrap over prompts', shareFlagged(sameBootstrap), 0.03, 0.07)
report('A against A, criterion change, clustered t interval', shareFlagged(sameClustered), 0.03, 0.07)
report('A against A, one criterion falls, permutation test', shareFlagged(sameCriterion), 0.03, 0.07)
report('A against A, any of six criteria falls, after Holm', shareFlagged(sameSixCriteria), 0.02, 0.07)
process.exit(failed ? 1 : 0)

function coverageOfRatings(): number {
  const planted = [-1.2, -0.8, -0.3, 0, 0.1, 0.4, 0.7, 1.1]
  let covered = 0
  for (let run = 0; run < COVERAGE_RUNS; run++) {
    const random = generator(deriveSeed(run, 'ratings'))
    const pairs: PairCount[] = []
    for (let i = 0; i < planted.length; i++)
      for (let j = 0; j < i; j++) {
        let wins = 0
        for (let game = 0; game < 40; game++) if (random.uniform() < winProbability(planted[i]!, planted[j]!)) wins++
        pairs.push({ a: String(i), b: String(j), wins, n: 40 })
      }
    for (const { name, low, high } of bradleyTerry(pairs).ratings)
      if (low <= planted[Number(name)]! && planted[Number(name)]! <= high) covered++
  }
  return covered / COVERAGE_RUNS / planted.length
}

/** 120 prompts, three pairs each; beside it how often the rating of who writes most is held without control, which should be seldom. */
function coverageOfModels(): Map<string, number> {
  const held = new Map<string, number>()
  const count = (name: string, { low, high }: { low: number; high: number }, truth: number) =>
    held.set(name, (held.get(name) ?? 0) + Number(low <= truth && truth <= high) / COVERAGE_RUNS)
  let uncontrolled = 0
  for (let run = 0; run < COVERAGE_RUNS; run++) {
    const seed = deriveSeed(run, 'models')
    const models = Object.keys(RATINGS)
    const given = judgedStyles(120, seed)
    const { ratings, controlled, style } = rateModels({ ...given, models, anchor: 'sft', seed, resamples: 500 })
    for (const rating of controlled.ratings)
      count(`the rating of ${rating.name}, style controlled`, rating, RATINGS[rating.name]!)
    for (const effect of style)
      count(`the liking for ${effect.name}`, effect, effect.name === 'length' ? LENGTH * effect.unit : 0)
    const { low, high } = ratings.find(({ name }) => name === 'candidate')!
    uncontrolled += Number(low <= RATINGS.candidate! && RATINGS.candidate! <= high) / COVERAGE_RUNS
  }
  console.log(`     (without control the rating of candidate, who writes most: ${(100 * uncontrolled).toFixed(1)}%)`)
  return held
}

function shareFlagged(isFlagged: (run: number) => boolean): number {
  let flagged = 0
  for (let run = 0; run < SAME_RUNS; run++) if (isFlagged(run)) flagged++
  return flagged / SAME_RUNS
}

/** 200 prompts, three votes each; votes of one item lean together, as they do when one completion happens to be better. */
function sameWinRate(run: number): boolean {
  const random = generator(deriveSeed(run, 'win-rate'))
  const comparisons = Array.from(
    { length: 200 },
    (_, i): Comparison => ({ item: `i${i}`, prompt: 'q', a: 'new', b: 'old' }),
  )
  const judgements = comparisons.flatMap(({ item }) => {
    const lean = 1 / (1 + Math.exp(-random.normal()))
    return ['x', 'y', 'z'].map((annotator): Judgement => {
      const isALeft = random.uniform() < 0.5
      const choice = random.uniform() < lean === isALeft ? 'left' : 'right'
      return { item, annotator, left: isALeft ? 'new' : 'old', right: isALeft ? 'old' : 'new', choice }
    })
  })
  const { low, high } = winRate({ judgements, comparisons, seed: run })
  return low > 0.5 || high < 0.5
}

/** Differences of two samples a prompt from one distribution, prompts in clusters of four that lean together. */
function differences(run: number, name: string): { values: number[]; clusters: string[] } {
  const random = generator(deriveSeed(run, name))
  const values: number[] = []
  const clusters: string[] = []
  for (let c = 0; c < 60; c++) {
    const lean = random.normal()
    for (let i = 0; i < 4; i++) {
      values.push(lean + random.normal() - random.normal())
      clusters.push(String(c))
    }
  }
  return { values, clusters }
}

function sameBootstrap(run: number): boolean {
  const { values, clusters } = differences(run, 'bootstrap')
  const { low, high } = bootstrapMean(values, { seed: run, clusters, resamples: 1000 })
  return low > 0 || high < 0
}

function sameClustered(run: number): boolean {
  const { values, clusters } = differences(run, 'clustered')
  const { low, high } = meanInterval(values, { clusters })
  return low > 0 || high < 0
}

function sameCriterion(run: number): boolean {
  const { values, clusters } = differences(run, 'criterion')
  const [row] = compareCriteria([{ name: 'one', before: values.map(() => 0), after: values }], { seed: run, clusters })
  return row!.fell
}

function sameSixCriteria(run: number): boolean {
  const { clusters } = differences(run, 'six')
  const criteria = Array.from({ length: 6 }, (_, k) => {
    const { values } = differences(run, `six ${k}`)
    return { name: `c${k}`, before: values.map(() => 0), after: values }
  })
  return compareCriteria(criteria, { seed: run, clusters }).some((row) => row.fell)
}
