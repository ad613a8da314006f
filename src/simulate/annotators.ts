// Simulated annotators: each sees the gold score through limited skill, a habit of favouring one side, and a liking
// for longer replies that all share. That liking is the flaw which a learnt reward can exploit; it ends at the length
// of replies people saw before, so the reward extrapolates what no annotator ever meant.
import { invariant } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { type GoldPart, type GoldReading, type SimulatedGold, countPieces } from './gold.ts'
import { type Random, random } from './random.ts'

export type AnnotatorKind = 'regular' | 'leaning' | 'spammer' | 'adversary'

export type SimulatedAnnotator = {
  readonly simulated: true
  id: string
  kind: AnnotatorKind
  /** Logits for one unit of perceived gold. */
  skill: number
  /** Logits for 10 pieces more, up to `lengthUpTo` pieces a reply. */
  lengthLiking: number
  lengthUpTo: number
  /** Logits in favour of the left side. */
  leftBias: number
  /** Parts of the gold that weigh more or less to this person than to the gold; absent = 1. */
  attention: Partial<Record<GoldPart, number>>
}

export type CrowdSettings = {
  regular: { count: number; skill: [number, number] }
  leaning: { count: number; skill: [number, number]; leftBias: [number, number] }
  spammer: { count: number; leftBiasDeviation: number }
  adversary: { count: number; skill: number }
  lengthLiking: number
  lengthUpTo: number
  attention: Partial<Record<GoldPart, number>>
}

/** The crowd of one seed, in shuffled order, so that an id betrays no kind. */
export function simulatedAnnotators(seed: number, s: CrowdSettings): SimulatedAnnotator[] {
  const draw = random(seed, 'annotators')
  const between = ([low, high]: [number, number]) => low + (high - low) * draw.next()
  const people: Omit<SimulatedAnnotator, 'id'>[] = []
  const add = (kind: AnnotatorKind, skill: number, leftBias: number) =>
    people.push({
      simulated: true,
      kind,
      skill,
      leftBias,
      lengthLiking: skill > 0 ? s.lengthLiking : 0,
      lengthUpTo: s.lengthUpTo,
      attention: s.attention,
    })
  for (let i = 0; i < s.regular.count; i++) add('regular', between(s.regular.skill), 0)
  for (let i = 0; i < s.leaning.count; i++) add('leaning', between(s.leaning.skill), between(s.leaning.leftBias))
  for (let i = 0; i < s.spammer.count; i++) add('spammer', 0, draw.normal() * s.spammer.leftBiasDeviation)
  for (let i = 0; i < s.adversary.count; i++) add('adversary', s.adversary.skill, 0)
  return draw.shuffled(people).map((person, i) => ({ ...person, id: `simulated-${String(i + 1).padStart(2, '0')}` }))
}

export type SimulatedAnswer = {
  readonly simulated: true
  choice: 'left' | 'right'
  /** 1 slight to 4 strong, as felt. */
  strength: number
  /** Seconds. */
  time: number
}

export type JudgeInput = {
  gold: SimulatedGold
  annotator: SimulatedAnnotator
  prompt: string
  left: string
  right: string
  seed: number
}

/** One annotator's answer; the same seed, annotator and texts give the same answer. */
export function judge({ gold, annotator, prompt, left, right, seed }: JudgeInput): SimulatedAnswer {
  const draw = random(seed, 'judge', annotator.id, prompt, left, right)
  const logit = preferenceLogit({ gold, annotator, prompt, left, right })
  const choice = draw.chance(1 / (1 + Math.exp(-logit))) ? 'left' : 'right'
  return {
    simulated: true,
    choice,
    strength: felt(logit, draw),
    time: seconds({ annotator, left, right, logit }, draw),
  }
}

/** Log-odds that the annotator chooses the left side, within +-30. */
export function preferenceLogit({ gold, annotator, prompt, left, right }: Omit<JudgeInput, 'seed'>): number {
  const length = (text: string) => Math.min(countPieces(text), annotator.lengthUpTo) / 10
  const perceived = (text: string) => {
    const { parts } = gold.read(prompt, text)
    let sum = 0
    for (const [part, value] of Object.entries(parts)) sum += value * (annotator.attention[part as GoldPart] ?? 1)
    return sum
  }
  const logit =
    annotator.skill * (perceived(left) - perceived(right)) +
    annotator.lengthLiking * (length(left) - length(right)) +
    annotator.leftBias
  return Math.max(-30, Math.min(30, logit))
}

/** Of each annotator the chance of naming the reply with the higher gold, over all pairs that differ in it, either side first; none where no pair does. */
export function trueAccuracies(
  annotators: readonly SimulatedAnnotator[],
  { pairs, gold }: { pairs: readonly Comparison[]; gold: SimulatedGold },
): Map<string, number> {
  const once = readOnce(gold)
  const ordered = pairs.flatMap(({ prompt, a, b }) => {
    invariant(typeof prompt === 'string', 'simulated annotators read prompts that are text')
    const difference = once.read(prompt, a).score - once.read(prompt, b).score
    if (difference === 0) return []
    return difference > 0 ? { prompt, better: a, worse: b } : { prompt, better: b, worse: a }
  })
  if (ordered.length === 0) return new Map()
  const accuracy = (annotator: SimulatedAnnotator) => {
    const saysLeft = (prompt: string, left: string, right: string) =>
      1 / (1 + Math.exp(-preferenceLogit({ gold: once, annotator, prompt, left, right })))
    let right = 0
    for (const { prompt, better, worse } of ordered)
      right += (saysLeft(prompt, better, worse) + 1 - saysLeft(prompt, worse, better)) / 2
    return right / ordered.length
  }
  return new Map(annotators.map((annotator) => [annotator.id, accuracy(annotator)]))
}

/** The same gold, which reads each text once: reading takes longer than all else here. */
function readOnce(gold: SimulatedGold): SimulatedGold {
  const readings = new Map<string, GoldReading>()
  return {
    ...gold,
    read: (prompt, reply) => {
      const key = JSON.stringify([prompt, reply])
      const reading = readings.get(key) ?? gold.read(prompt, reply)
      readings.set(key, reading)
      return reading
    },
  }
}

function felt(logit: number, draw: Random): number {
  const strength = 1 + Math.floor(Math.min(3.99, Math.abs(logit + draw.normal()) / 1.5))
  return Math.min(4, strength)
}

/** People read 4 pieces a second and hesitate over close calls; spammers do neither. */
function seconds(
  { annotator, left, right, logit }: { annotator: SimulatedAnnotator; left: string; right: string; logit: number },
  draw: Random,
): number {
  const spread = Math.exp(0.3 * draw.normal())
  if (annotator.kind === 'spammer') return round(2 * spread)
  const reading = (countPieces(left) + countPieces(right)) / 4
  return round((reading + 6 / (1 + Math.abs(logit))) * spread)
}

const round = (x: number) => Math.round(x * 10) / 10

export type JudgePairsOptions = {
  gold: SimulatedGold
  annotators: readonly SimulatedAnnotator[]
  /** Judgements a pair. */
  overlap: number
  seed: number
  /** Ids that may judge; default all. */
  qualified?: readonly string[]
  guideline?: string
}

/** Judgements of each pair by `overlap` annotators with the least load, sides drawn by seed. Prompts must be strings. */
export function judgePairs(pairs: readonly Comparison[], o: JudgePairsOptions): Judgement[] {
  const people = o.annotators.filter((a) => o.qualified === undefined || o.qualified.includes(a.id))
  invariant(people.length >= o.overlap, `overlap ${o.overlap} needs as many annotators, got ${people.length}`)
  const draw = random(o.seed, 'assignment')
  const load = new Map(people.map((a) => [a.id, 0]))
  const judgements: Judgement[] = []
  for (const { item, prompt, a, b } of pairs) {
    invariant(typeof prompt === 'string', 'simulated annotators read prompts that are text')
    const chosen = draw
      .shuffled(people)
      .sort((x, y) => load.get(x.id)! - load.get(y.id)!)
      .slice(0, o.overlap)
    for (const annotator of chosen) {
      load.set(annotator.id, load.get(annotator.id)! + 1)
      const isSwapped = draw.chance(0.5)
      const left = isSwapped ? b : a
      const right = isSwapped ? a : b
      const { choice, strength, time } = judge({ gold: o.gold, annotator, prompt, left, right, seed: o.seed })
      judgements.push({
        item,
        annotator: annotator.id,
        prompt,
        left,
        right,
        choice,
        strength,
        time,
        simulated: true,
        ...(o.guideline === undefined ? {} : { guideline: o.guideline }),
      })
    }
  }
  return judgements
}
