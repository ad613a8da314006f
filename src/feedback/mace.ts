// MACE (Hovy et al., NAACL 2013): for each label an annotator either knows, and says the class, or spams, and draws from a habit of
// their own. Variational EM as in the paper: Beta(0.5, 0.5) on knowing, Dirichlet(10) on habits, restarts from noise, the best by
// evidence kept. Pairs are turned to the screen, so a habit there is one of sides.
import { deriveSeed, digamma, generator } from '#stats'
import { type LabelFit, type LabelTable, posteriorRows } from './label-table.ts'

export type MaceFit = LabelFit & {
  /** P(knows), an annotator: the mean of its posterior. */
  knowing: Float64Array
  /** What an annotator says when spamming. */
  habits_AK: Float64Array
}
export type MaceOptions = {
  seed?: number
  restarts?: number
  rounds?: number
  tolerance?: number
  prior?: { knows: number; spams: number; habit: number }
}

/** Expected counts, an annotator: labels that were known, labels that were spam, and these by class. */
type Counts = { knows: Float64Array; spams: Float64Array; habits: Float64Array }
/** What enters the likelihood; means of logs under the posterior, so a row of habits may sum to less than 1. */
type Strengths = Counts

const NOISE = 0.5

export function mace(
  table: LabelTable,
  {
    seed = 0,
    restarts = 10,
    rounds = 200,
    tolerance = 1e-6,
    prior = { knows: 0.5, spams: 0.5, habit: 10 },
  }: MaceOptions = {},
): MaceFit {
  const K = table.classes.length
  const A = table.annotators.length
  let best: { evidence: number; posterior_IK: Float64Array; counts: Counts } | undefined
  for (let restart = 0; restart < restarts; restart++) {
    // The first start is the even one.
    const random = generator(deriveSeed(seed, 'mace', restart))
    const noise = () => (restart === 0 ? 1 : 1 + NOISE * random.uniform())
    let strengths = startFrom(A, K, noise)
    let posterior_IK = new Float64Array(table.items.length * K)
    let evidence = -Infinity
    let counts = expect(table, strengths, posterior_IK).counts
    for (let round = 0, moved = Infinity; round < rounds && moved > tolerance; round++) {
      strengths = strengthsFrom(counts, K, prior)
      const next = new Float64Array(posterior_IK.length)
      ;({ counts, evidence } = expect(table, strengths, next))
      moved = next.reduce((most, p, i) => Math.max(most, Math.abs(p - posterior_IK[i]!)), 0)
      posterior_IK = next
    }
    if (!best || evidence > best.evidence) best = { evidence, posterior_IK, counts }
  }
  const { posterior_IK, counts } = best!
  const knowing = counts.knows.map((n, a) => (n + prior.knows) / (n + counts.spams[a]! + prior.knows + prior.spams))
  const habits_AK = counts.habits.map(
    (n, at) => (n + prior.habit) / (counts.spams[Math.floor(at / K)]! + K * prior.habit),
  )
  return {
    posterior_IK,
    knowing,
    habits_AK,
    foretell: ({ item, annotator, said, isTurned = false }) =>
      knowing[annotator]! * posterior_IK[item * K + (isTurned ? 1 - said : said)]! +
      (1 - knowing[annotator]!) * habits_AK[annotator * K + said]!,
  }
}

function startFrom(A: number, K: number, noise: () => number): Strengths {
  const pairs = Array.from({ length: A }, () => [noise(), noise()] as const)
  const habits = Float64Array.from({ length: A * K }, noise)
  for (let a = 0; a < A; a++) {
    const row = habits.subarray(a * K, (a + 1) * K)
    const sum = row.reduce((total, h) => total + h, 0)
    row.forEach((h, k) => {
      row[k] = h / sum
    })
  }
  return {
    spams: Float64Array.from(pairs, ([spams, knows]) => spams / (spams + knows)),
    knows: Float64Array.from(pairs, ([spams, knows]) => knows / (spams + knows)),
    habits,
  }
}

/** Classes of the items under given strengths, into `posterior_IK`; what the annotators then did; ln of the evidence. */
function expect(table: LabelTable, s: Strengths, posterior_IK: Float64Array): { counts: Counts; evidence: number } {
  const { item, annotator, said, weight, isTurned } = table
  const K = table.classes.length
  const spoken = (row: number) => (isTurned?.[row] ? 1 - said[row]! : said[row]!)
  posterior_IK.fill(-Math.log(K))
  for (let row = 0; row < item.length; row++) {
    const a = annotator[row]!
    const share = weight?.[row] ?? 1
    const spam = s.spams[a]! * s.habits[a * K + said[row]!]!
    const to = item[row]! * K
    const ifOther = share * Math.log(spam)
    for (let k = 0; k < K; k++) posterior_IK[to + k]! += ifOther
    posterior_IK[to + spoken(row)]! += share * Math.log(spam + s.knows[a]!) - ifOther
  }
  const evidence = posteriorRows(posterior_IK, table)
  const A = table.annotators.length
  const counts = { knows: new Float64Array(A), spams: new Float64Array(A), habits: new Float64Array(A * K) }
  for (let row = 0; row < item.length; row++) {
    const a = annotator[row]!
    const share = weight?.[row] ?? 1
    const spam = s.spams[a]! * s.habits[a * K + said[row]!]!
    const known = (posterior_IK[item[row]! * K + spoken(row)]! * s.knows[a]!) / (spam + s.knows[a]!)
    counts.knows[a]! += share * known
    counts.spams[a]! += share * (1 - known)
    counts.habits[a * K + said[row]!]! += share * (1 - known)
  }
  return { counts, evidence }
}

/** Exponentials of the expected logs under the Beta and Dirichlet posteriors. */
function strengthsFrom(counts: Counts, K: number, prior: { knows: number; spams: number; habit: number }): Strengths {
  const overall = counts.knows.map((n, a) => digamma(n + counts.spams[a]! + prior.knows + prior.spams))
  const habitual = counts.spams.map((n) => digamma(n + K * prior.habit))
  return {
    knows: counts.knows.map((n, a) => Math.exp(digamma(n + prior.knows) - overall[a]!)),
    spams: counts.spams.map((n, a) => Math.exp(digamma(n + prior.spams) - overall[a]!)),
    habits: counts.habits.map((n, at) => Math.exp(digamma(n + prior.habit) - habitual[Math.floor(at / K)]!)),
  }
}
