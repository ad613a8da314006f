// A crowd of simulated annotators on pairs of which one is better, with faults planted: leaning to a side, to length, rushing,
// drifting, spamming, answering the wrong way round. Honest people differ in skill, pace and how often they call a tie or both bad;
// longer completions are a little better in truth, so that honest people prefer them too, but not for their length.
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, type Generator, generator } from '#stats'

export const FAULTS = ['side', 'length', 'speed', 'drift', 'spam', 'adversary'] as const
export type Fault = (typeof FAULTS)[number]
export type CrowdMember = {
  id: string
  fault?: Fault
  skill: number
  pace: number
  ties: number
  bothBad: number
  /** +1 or -1: which side, longer or shorter. */
  direction: number
}
export type PlantedCrowd = {
  people: CrowdMember[]
  comparisons: Comparison[]
  judgements: Judgement[]
  gold: { item: string; better: string }[]
}

/** Logits that a leaning adds: to a side, and for each e-fold of length. Between equals: 77% for the side, 73% for half as long again. */
const SIDE_LOGITS = 1.2
const LENGTH_LOGITS = 2.5
/** Logits per e-fold of length that are earned. */
const TRUE_LENGTH_LOGITS = 0.4
const CHARACTERS_A_SECOND = 25

export function plantedCrowd({
  seed,
  size = 12,
  faults = FAULTS,
  each = 500,
  overlap = 4,
  goldShare = 0.08,
}: {
  seed: number
  size?: number
  faults?: readonly Fault[]
  /** Judgements a person. */
  each?: number
  overlap?: number
  goldShare?: number
}): PlantedCrowd {
  const random = generator(deriveSeed(seed, 'crowd'))
  const people = random
    .shuffle(
      Array.from(
        { length: size },
        (_, i): Omit<CrowdMember, 'id'> => ({
          ...(faults[i] && { fault: faults[i] }),
          skill: 1.3 + 1.2 * random.uniform(),
          pace: Math.exp(0.2 * random.normal()),
          ties: 0.02 + 0.06 * random.uniform(),
          bothBad: 0.01 + 0.04 * random.uniform(),
          direction: random.uniform() < 0.5 ? 1 : -1,
        }),
      ),
    )
    .map((person, i) => ({ ...person, id: `simulated-${String(i + 1).padStart(2, '0')}` }))
  const items = Array.from({ length: Math.ceil((size * each) / overlap) }, (_, i) => drawItem(random, i))
  const given = new Map(people.map(({ id }) => [id, 0]))
  const judgements: Judgement[] = []
  for (const item of items) {
    // Least load first, ties by lot.
    const next = random
      .shuffle(people)
      .sort((x, y) => given.get(x.id)! - given.get(y.id)!)
      .slice(0, overlap)
    for (const person of next) {
      const done = given.get(person.id)!
      given.set(person.id, done + 1)
      judgements.push(judge(person, { ...item, course: done / each }, random))
    }
  }
  return {
    people,
    comparisons: items.map(({ comparison }) => comparison),
    judgements,
    gold: items
      .filter(() => random.uniform() < goldShare)
      .map(({ comparison: { item, a, b }, advantage }) => ({ item, better: advantage > 0 ? a : b })),
  }
}

type PlantedItem = { comparison: Comparison /** Logits by which a is better. */; advantage: number }

function drawItem(random: Generator, i: number): PlantedItem {
  const text = (name: string) => `${name} ${'word '.repeat(Math.round(60 * Math.exp(0.5 * random.normal())))}`
  const [a, b] = [text('one'), text('other')]
  const advantage = 1.6 * random.normal() + TRUE_LENGTH_LOGITS * Math.log(a.length / b.length)
  return { comparison: { item: `i${i}`, prompt: `prompt ${i}`, a, b }, advantage }
}

function judge(
  person: CrowdMember,
  { comparison: { item, prompt, a, b }, advantage, course }: PlantedItem & { course: number },
  random: Generator,
): Judgement {
  const isALeft = random.uniform() < 0.5
  const [left, right] = isALeft ? [a, b] : [b, a]
  const time = ((left.length + right.length) / CHARACTERS_A_SECOND) * person.pace * Math.exp(0.3 * random.normal())
  const row = { item, prompt, annotator: person.id, left, right, simulated: true }
  if (person.fault === 'spam')
    return { ...row, choice: random.uniform() < 0.5 ? 'left' : 'right', time: 2 + 3 * random.uniform() }
  const said = random.uniform()
  if (said < person.bothBad) return { ...row, choice: 'both-bad', time }
  if (said < person.bothBad + person.ties) return { ...row, choice: 'tie', time }
  const logit = skillOf(person, course) * (isALeft ? advantage : -advantage) + leaning(person, { left, right })
  const choice = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 'left' : 'right'
  return { ...row, choice, time: person.fault === 'speed' ? time / 6 : time }
}

/** Rushing halves what a person knows; a drifting one keeps a tenth from the middle on. */
function skillOf({ fault, skill }: CrowdMember, course: number): number {
  if (fault === 'adversary') return -skill
  if (fault === 'speed') return skill / 2
  return fault === 'drift' && course > 0.5 ? skill / 10 : skill
}

function leaning({ fault, direction }: CrowdMember, { left, right }: { left: string; right: string }): number {
  if (fault === 'side') return SIDE_LOGITS * direction
  return fault === 'length' ? LENGTH_LOGITS * direction * Math.log(left.length / right.length) : 0
}
