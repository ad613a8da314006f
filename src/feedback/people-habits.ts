// Habits: side, length, pace, harshness, indecision. Those that everybody may have to a degree are held against the crowd's own spread.
import {
  average,
  binomialTest,
  FEWEST_MEMBERS,
  holm,
  logisticRegression,
  normalCdf,
  type Member,
  outliers,
  quantile,
} from '#stats'
import type { Item, Vote } from './items.ts'
import { votesByAnnotator } from './items.ts'
import type { Measured } from './people.ts'
import type { HeldVote } from './peers.ts'

/** Fewer judgements say nothing about a habit. */
const FEWEST = 30
/** Standard deviation 3 logits: somebody who always picks the longer one has a finite lean. */
const RIDGE = 1 / 9

type Habit = { annotator: string; says: string } & Member

export function habitFindings(
  items: readonly Item[],
  votes: ReadonlyMap<string, readonly HeldVote[]>,
  skills: ReadonlyMap<string, number>,
): Record<'side' | 'length' | 'pace' | 'harsh' | 'undecided', Measured[]> {
  const everyVote = [...votesByAnnotator(items)].filter(([, own]) => own.length >= FEWEST)
  const share = (name: string, is: (vote: Vote) => boolean) =>
    everyVote.flatMap(([annotator, own]) => against(annotator, own, { name, is }))
  return {
    side: sides(votes, skills),
    length: standingApart(
      [...votes].flatMap(([annotator, own]) => lengthLean(annotator, own)),
      'both',
    ),
    pace: paces(everyVote),
    harsh: standingApart(
      share('both bad', (vote) => vote.choice === 'both-bad'),
      'both',
    ),
    undecided: standingApart(
      share('tie or cannot judge', (vote) => vote.choice === 'tie' || vote.choice === 'cannot-judge'),
      'both',
    ),
  }
}

/**
 * Sides were drawn by lot, so whether the chosen completion stood left is a fair coin, whatever made it the chosen one. A choice that
 * the others' opinion makes surprising tells more about a side, and weighs by how surprising it is.
 */
function sides(votes: ReadonlyMap<string, readonly HeldVote[]>, skills: ReadonlyMap<string, number>): Measured[] {
  const counted = [...votes].flatMap(([annotator, own]) => {
    const decided = own.filter(({ saidLeft }) => saidLeft !== 0.5)
    if (decided.length === 0) return []
    const left = decided.filter(({ saidLeft }) => saidLeft === 1).length
    if (decided.length < FEWEST) return [{ annotator, left, n: decided.length, p: binomialTest(left, decided.length) }]
    // Whom nobody can be held against may know nothing.
    const skill = skills.get(annotator) ?? 0.5
    let sum = 0
    let squares = 0
    for (const { saidLeft, leftBetter } of decided) {
      const chosenBetter = saidLeft === 1 ? leftBetter : 1 - leftBetter
      const surprise = 1 - (skill * chosenBetter + (1 - skill) * (1 - chosenBetter))
      sum += saidLeft === 1 ? surprise : -surprise
      squares += surprise * surprise
    }
    return [{ annotator, left, n: decided.length, p: 2 * normalCdf(-Math.abs(sum) / Math.sqrt(squares)) }]
  })
  const adjusted = holm(counted.map(({ p }) => p))
  return counted.map(({ annotator, left, n }, i) => ({
    annotator,
    value: left / n,
    adjusted: adjusted[i]!,
    says: `left on ${((100 * left) / n).toFixed(0)}% of ${n}`,
  }))
}

function standingApart(habits: readonly Habit[], side: 'both' | 'low'): Measured[] {
  if (habits.length < FEWEST_MEMBERS || habits.every(({ value }) => value === habits[0]!.value)) return []
  const apart = outliers(habits, { side })
  return habits.map(({ annotator, value, says }, i) => ({ annotator, value, adjusted: apart[i]!.adjusted, says }))
}

/** Logits towards the left for each unit of ln(length left / length right), at the same opinion of the others. */
function lengthLean(annotator: string, own: readonly HeldVote[]): Habit[] {
  const decided = own.filter(({ saidLeft }) => saidLeft !== 0.5)
  const rows = decided.map(({ item, vote, saidLeft, leftBetter }) => {
    const ratio = Math.log((item.a.length + 1) / (item.b.length + 1))
    return { features: [vote.isALeft ? ratio : -ratio, 2 * leftBetter - 1], outcome: saidLeft }
  })
  if (rows.length < FEWEST || rows.every(({ features }) => features[0] === 0)) return []
  const { value, low, high } = logisticRegression(rows, { ridge: RIDGE, level: 0.6827 })[1]!
  return [{ annotator, value, error: (high - low) / 2, says: `${value.toFixed(2)} logits for each e-fold of length` }]
}

type Timed = readonly [annotator: string, own: readonly { item: Item; vote: Vote }[]]

/**
 * Both completions are read before one is chosen. 700 words a minute, six characters each, are twice what fast readers reach:
 * 238 on average, 300 at most for most adults (Brysbaert 2019, doi:10.1016/j.jml.2019.104047).
 */
const MOST_CHARACTERS_A_SECOND = 70
/** Of the level; the rest is for standing apart. Who does what nobody can needs no large share to be seen. */
const SHARE_OF_READING = 0.1

/** Faster than the others by the crowd's own spread, or, on more than half of the items, than anybody reads. */
function paces(everyVote: readonly Timed[]): Measured[] {
  const apart = standingApart(
    everyVote.flatMap(([annotator, own]) => pace(annotator, own)),
    'low',
  )
  const reading = everyVote.flatMap(([annotator, own]) => readingSpeed(annotator, own))
  return reading.map(({ annotator, value, p, says }) => {
    const unread = { annotator, value, adjusted: Math.min(1, (p * reading.length) / SHARE_OF_READING), says }
    const other = apart.find((measured) => measured.annotator === annotator)
    if (!other) return unread
    const standing = { ...other, adjusted: Math.min(1, other.adjusted / (1 - SHARE_OF_READING)) }
    return unread.adjusted < standing.adjusted ? unread : standing
  })
}

/** Sign test of the median against what can be read. `value`: characters of both completions a second, at the median. */
function readingSpeed(
  annotator: string,
  own: Timed[1],
): { annotator: string; value: number; p: number; says: string }[] {
  const speeds = own.flatMap(({ item, vote }) =>
    vote.time === undefined ? [] : [(item.a.length + item.b.length) / Math.max(vote.time, 0.1)],
  )
  if (speeds.length < FEWEST) return []
  const faster = speeds.filter((speed) => speed > MOST_CHARACTERS_A_SECOND).length
  const value = quantile(
    speeds.toSorted((x, y) => x - y),
    0.5,
  )
  return [
    {
      annotator,
      value,
      p: 2 * faster > speeds.length ? binomialTest(faster, speeds.length) / 2 : 1,
      says: `answers at ${value.toFixed(0)} characters a second; nobody reads more than ${MOST_CHARACTERS_A_SECOND}`,
    },
  ]
}

/** Median over items of ln(own seconds / the others' mean on the item). */
function pace(annotator: string, own: readonly { item: Item; vote: Vote }[]): Habit[] {
  const ratios = own.flatMap(({ item, vote }) => {
    const others = item.votes.flatMap((v) =>
      v.annotator !== annotator && v.time !== undefined ? [Math.log(Math.max(v.time, 0.1))] : [],
    )
    return vote.time !== undefined && others.length > 0 ? [Math.log(Math.max(vote.time, 0.1)) - average(others)] : []
  })
  if (ratios.length < FEWEST) return []
  ratios.sort((x, y) => x - y)
  const value = quantile(ratios, 0.5)
  // A median's error from the width of the middle half, as of a normal.
  const error = (1.2533 * (quantile(ratios, 0.75) - quantile(ratios, 0.25))) / 1.349 / Math.sqrt(ratios.length)
  // A twentieth faster or slower is never a habit, however even the clock.
  return [
    {
      annotator,
      value,
      error: Math.max(error, 0.05),
      says: `${Math.exp(value).toFixed(2)} times the others' time on the same items`,
    },
  ]
}

/** Own share of an answer minus the others' on the same items. */
function against(
  annotator: string,
  own: readonly { item: Item; vote: Vote }[],
  { name, is }: { name: string; is: (vote: Vote) => boolean },
): Habit[] {
  const differences = own.flatMap(({ item, vote }) => {
    const others = item.votes.filter((v) => v.annotator !== annotator)
    return others.length === 0 ? [] : [Number(is(vote)) - others.filter(is).length / others.length]
  })
  if (differences.length < FEWEST) return []
  const value = average(differences)
  const error = Math.sqrt(average(differences.map((d) => (d - value) ** 2)) / differences.length)
  const sign = value < 0 ? 'less' : 'more'
  return [
    {
      annotator,
      value,
      // One answer more or less is never a habit.
      error: Math.max(error, 1 / differences.length),
      says: `${name} on ${(100 * Math.abs(value)).toFixed(1)} of 100 ${sign} than the others`,
    },
  ]
}
