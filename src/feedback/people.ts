// A report on the people who judge. Each test names what it asks, the level at which it accuses, and how: together they accuse
// anybody of a crowd without faults with a chance of at most `rate`. Side: against the lot that drew the sides. Length, pace,
// harshness, indecision: standing apart from the crowd, which has habits of its own. Drift: against random order. Knowledge:
// against the others' opinion. A finding is a reason to talk with somebody, and the figures behind it are part of the report.
import { DataError } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { controlChart, type ControlChart, deriveSeed, FEWEST_OVER_TIME, type Interval, wilson } from '#stats'
import { gatherItems, rightness } from './items.ts'
import { habitFindings } from './people-habits.ts'
import { agreementCourse, courseFindings } from './people-course.ts'
import { heldAgainstOthers, type HeldVote } from './peers.ts'
import type { GoldAnswer } from './qualification.ts'

export const PEOPLE_TESTS = {
  side: 'chooses one side more often than sides drawn by lot would have it',
  length: 'prefers longer or shorter completions more than the others do of the same items',
  pace: 'answers much faster than the others do the same items, or than both completions can be read',
  harsh: 'says both bad more or less often than the others do of the same items',
  undecided: 'ties or cannot judge more or less often than the others do the same items',
  drift: 'agrees less with the others from some time on',
  gold: 'gets gold items wrong more often from some time on',
  knowledge: 'knows no more than somebody who is right less often than asked for',
} as const
export type PeopleTest = keyof typeof PEOPLE_TESTS

export type Finding = {
  test: PeopleTest
  /** What was measured, in the unit of `says`. */
  value: number
  /** Corrected for everyone tested; below the test's level it accuses. */
  adjusted: number
  isAccused: boolean
  says: string
}
export type PersonReport = {
  annotator: string
  judgements: number
  /** Most likely share of right answers, by the others' opinion. */
  skill?: number
  /** Every test that could be made; those that accuse first. */
  findings: Finding[]
  /** Moving accuracy on gold items with limits that hold at `rate` for each person. */
  goldChart?: ControlChart
  goldAccuracy?: Interval
  /** The same of agreement with the others, beyond what this person's mean and the others' certainty would have it. */
  agreementChart?: ControlChart
  /** Not asked when others are held against the crowd. */
  isLeftOut: boolean
}
export type PeopleReport = {
  people: PersonReport[]
  /** Chance of accusing anybody at all in a crowd without faults, at most. */
  rate: number
  /** Level of each test that was made: rate over the number of tests. */
  tests: { name: PeopleTest; asks: string; level: number }[]
}
/** One test of one person before it is known who is accused. */
export type Measured = Omit<Finding, 'isAccused' | 'test'> & { annotator: string }

/**
 * `judgements` in the order in which they were given. `gold` answers stand beside those that rows
 * and comparisons bring; such items are judged like any other. `leastSkill`: share of right answers
 * that knowing asks for; 0.65 is what two annotators have who agree on 54% of pairs.
 * @throws DataError for judgements that do not match their items, or a rate outside (0, 1)
 */
export function reportPeople(
  judgements: readonly Judgement[],
  {
    comparisons,
    gold = [],
    seed,
    rate = 0.05,
    leastSkill = 0.65,
  }: {
    comparisons?: readonly Comparison[]
    gold?: readonly GoldAnswer[]
    seed: number
    rate?: number
    leastSkill?: number
  },
): PeopleReport {
  if (!(rate > 0 && rate < 1)) throw new DataError(`a rate of false accusations lies inside (0, 1), got ${rate}`)
  const items = gatherItems(judgements, comparisons)
  const level = rate / Object.keys(PEOPLE_TESTS).length
  const { votes, knowledge, leftOut } = heldAgainstOthers(items, { least: leastSkill, level })
  const known = items.flatMap(({ item, gold: better }) => (better === undefined ? [] : [{ item, better }]))
  const outcomes = goldOutcomes(votes, [...known, ...gold])
  const measured: Partial<Record<PeopleTest, Measured[]>> = {
    ...habitFindings(items, votes, new Map([...knowledge].map(([name, { skill }]) => [name, skill]))),
    ...courseFindings(votes, outcomes, seed),
    knowledge: [...knowledge].map(([annotator, { skill, p, pAdverse }]) => ({
      annotator,
      value: skill,
      adjusted: Math.min(1, p * knowledge.size),
      says:
        pAdverse * knowledge.size < level
          ? `answers the wrong way round: right on ${percent(skill)}, by the others' opinion`
          : `right on ${percent(skill)}, by the others' opinion; ${percent(leastSkill)} is asked for`,
    })),
  }
  const made = (Object.keys(PEOPLE_TESTS) as PeopleTest[]).filter((name) => measured[name]?.length)
  return {
    rate,
    tests: made.map((name) => ({ name, asks: PEOPLE_TESTS[name], level })),
    people: [...votes].map(([annotator, own]) => {
      const findings = made.flatMap((test) =>
        measured[test]!.filter((m) => m.annotator === annotator).map(({ value, adjusted, says }) => ({
          test,
          value,
          adjusted,
          isAccused: adjusted < level,
          says,
        })),
      )
      const answers = outcomes.get(annotator) ?? []
      const agreementChart = agreementCourse(own, { seed: deriveSeed(seed, 'agreement-chart', annotator), rate })
      return {
        annotator,
        judgements: own.length,
        ...(knowledge.has(annotator) && { skill: knowledge.get(annotator)!.skill }),
        findings: findings.sort((x, y) => Number(y.isAccused) - Number(x.isAccused)),
        ...(answers.length > 0 && {
          goldAccuracy: wilson(
            answers.reduce((x, y) => x + y, 0),
            answers.length,
          ),
        }),
        ...(answers.length >= FEWEST_OVER_TIME && {
          goldChart: controlChart(answers, { seed: deriveSeed(seed, 'gold-chart', annotator), rate }),
        }),
        ...(agreementChart && { agreementChart }),
        isLeftOut: leftOut.has(annotator),
      }
    }),
  }
}

/** 1 right, 0 wrong, 0.5 for ties, of each person's gold items in order. */
function goldOutcomes(votes: Map<string, HeldVote[]>, gold: readonly GoldAnswer[]): Map<string, number[]> {
  const answers = new Map(gold.map(({ item, better }) => [item, better]))
  return new Map(
    [...votes].map(([annotator, own]) => [
      annotator,
      own.flatMap(({ item, vote }) => {
        const better = answers.get(item.item)
        return better === undefined ? [] : [rightness(item, vote, better)!]
      }),
    ]),
  )
}

function percent(share: number): string {
  return `${(100 * share).toFixed(0)}%`
}
