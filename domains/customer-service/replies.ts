// How the experts answer: each slot of a reply is drawn on its own given expert and prompt, so the probability of a
// reply is an exact sum over experts, and the entropy of the demonstrations is a number and not an estimate.
// Curated: replies that break the limit are removed and the rest renormalised per prompt, as curation does to rows.
import { DataError } from '#errors'
import { type IntentTable, type Random, type ServiceTables, type Situation, fillSlots, splitSentences } from '#simulate'
import type { Expert } from './knobs.ts'

export type ReplyGrammar = {
  /** A reply, with the leading space that joins it to the prompt. */
  sample(draw: Random, situation: Situation): { completion: string; expert: string; isViolation: boolean }
  /** Nats; -Infinity for a text that the grammar never makes, and for a violation if `curated`. */
  logProbability(situation: Situation, completion: string, o: { curated: boolean }): number
}

/** One choice among sentences; '' is leaving the slot out. */
type Slot = Map<string, number>

/** Slots in their order; courtesies stand between padding and sign-off. */
const ORDER = ['greeting', 'empathy', 'fact', 'escalation', 'offBrand', 'padding', 'signOff'] as const
type SlotName = (typeof ORDER)[number]
type Slots = Record<SlotName, Slot>

export function replyGrammar(tables: ServiceTables, experts: readonly Expert[]): ReplyGrammar {
  const weights = experts.map((e) => e.weight)
  const total = weights.reduce((sum, w) => sum + w, 0)
  const known = new WeakMap<Situation, Slots[]>()
  const slotsByExpert = (situation: Situation) => {
    const slots = known.get(situation) ?? experts.map((expert) => slotsOf(tables, expert, situation))
    known.set(situation, slots)
    return slots
  }
  return {
    sample: (draw, situation) => {
      const at = draw.weighted(weights)
      const expert = experts[at]!
      const slots = slotsByExpert(situation)[at]!
      const said = ORDER.map((name) => pickFrom(draw, slots[name]))
      const courtesies = draw.shuffled(tables.courtesy).slice(0, draw.weighted(expert.courtesies))
      said.splice(-1, 0, ...courtesies)
      return {
        completion: ` ${said.filter((s) => s !== '').join(' ')}`,
        expert: expert.name,
        isViolation: violates(said[ORDER.indexOf('fact')]!, situation),
      }
    },
    logProbability: (situation, completion, { curated }) => {
      if (!completion.startsWith(' ')) return Number.NEGATIVE_INFINITY
      const sentences = splitSentences(completion)
      if (` ${sentences.join(' ')}` !== completion) return Number.NEGATIVE_INFINITY
      let probability = 0
      let kept = 0
      for (const [i, slots] of slotsByExpert(situation).entries()) {
        const expert = experts[i]!
        const share = expert.weight / total
        probability += share * probabilityOf(sentences, slots, { courtesy: tables.courtesy, counts: expert.courtesies })
        for (const [fact, p] of slots.fact) if (!violates(fact, situation)) kept += share * p
      }
      if (!curated) return Math.log(probability)
      return sentences.some((s) => violates(s, situation)) ? Number.NEGATIVE_INFINITY : Math.log(probability / kept)
    },
  }
}

/** Mean -log P of the curated grammar on rows of the desk: the loss that no model can beat on average. */
export function meanSurprise(
  grammar: ReplyGrammar,
  rows: readonly { situation: Situation; completion: string }[],
  countTokens: (completion: string) => number,
): { perToken: number; perReply: number; tokens: number } {
  let nats = 0
  let tokens = 0
  for (const [i, { situation, completion }] of rows.entries()) {
    const logProbability = grammar.logProbability(situation, completion, { curated: true })
    if (logProbability === Number.NEGATIVE_INFINITY)
      throw new DataError('expected a reply that the curated grammar makes; give held-out rows only', {
        line: i + 1,
        field: 'completion',
      })
    nats -= logProbability
    tokens += countTokens(completion)
  }
  return { perToken: nats / tokens, perReply: nats / rows.length, tokens }
}

type Courtesies = { courtesy: readonly string[]; counts: readonly number[] }

/** Sentences are taken slot by slot: no sentence belongs to two slots, so there is one way to read a reply. */
function probabilityOf(sentences: readonly string[], slots: Slots, { courtesy, counts }: Courtesies): number {
  let at = 0
  let probability = 1
  for (const name of ORDER) {
    if (name === 'signOff') {
      const said = new Set<string>()
      for (let s = sentences[at]; s !== undefined && courtesy.includes(s) && !said.has(s); s = sentences[++at]) {
        probability /= courtesy.length - said.size
        said.add(s)
      }
      probability *= counts[said.size] ?? 0
    }
    const slot = slots[name]
    const next = sentences[at]
    if (next !== undefined && slot.has(next)) {
      probability *= slot.get(next)!
      at++
    } else probability *= slot.get('') ?? 0
    if (probability === 0) return 0
  }
  return at === sentences.length ? probability : 0
}

function slotsOf(tables: ServiceTables, e: Expert, situation: Situation): Slots {
  const { channel, isUpset, isEscalationDue, slots } = situation
  const right = tables.channels.filter((c) => c.name === channel).flatMap((c) => c.greetings)
  const other = tables.channels.filter((c) => c.name !== channel).flatMap((c) => c.greetings)
  const optional = (sentences: readonly string[], p: number) => slot([sentences, p], [[''], 1 - p])
  return {
    greeting: slot([right, e.greeting[0]], [other, e.greeting[1]], [[''], e.greeting[2]]),
    empathy: optional(tables.empathy, isUpset ? e.empathy.upset : e.empathy.calm),
    fact: factSlot(tables, e, situation),
    escalation: optional(
      tables.escalation.map((s) => fillSlots(s, slots)),
      isEscalationDue ? e.escalation.due : e.escalation.notDue,
    ),
    offBrand: optional(tables.offBrand, e.offBrand),
    padding: optional(tables.padding, e.padding),
    signOff: optional(tables.signOff, e.signOff),
  }
}

function factSlot(tables: ServiceTables, e: Expert, { intent, slots, decoyValue, amount, limit }: Situation): Slot {
  const [right, wrong, vague] = e.fact
  const fill = (wordings: readonly string[], changed: Record<string, string> = {}) =>
    wordings.map((w) => fillSlots(w, { ...slots, ...changed }))
  const isAbove = (amount ?? 0) > (limit ?? 0)
  const promise = isAbove ? e.promise : 0
  const wordings = isAbove ? (intent.limitWordings as NonNullable<IntentTable['limitWordings']>) : intent.wordings
  const value = limit === undefined || isAbove ? intent.value : 'amount'
  return slot(
    [isAbove ? fill(intent.wordings) : [], promise],
    [fill(wordings), (1 - promise) * right],
    [fill(wordings, { [value]: decoyValue }), (1 - promise) * wrong],
    [tables.vague, (1 - promise) * vague],
  )
}

/** Shares each probability evenly among its sentences; impossible sentences are left out. */
function slot(...parts: [readonly string[], number][]): Slot {
  const out: Slot = new Map()
  for (const [sentences, probability] of parts)
    for (const s of sentences) if (probability > 0) out.set(s, (out.get(s) ?? 0) + probability / sentences.length)
  return out
}

function pickFrom(draw: Random, slot: Slot): string {
  return [...slot.keys()][draw.weighted([...slot.values()])]!
}

/** The grammar writes whole dollars only. */
function violates(sentence: string, { limit }: Situation): boolean {
  const amount = /\$(\d+)/.exec(sentence)?.[1]
  return amount !== undefined && (limit === undefined || Number(amount) > limit)
}
