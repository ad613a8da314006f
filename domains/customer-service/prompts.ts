// Prompts of simulated customers. A customer belongs to one split for ever, so no set shares a customer with another.
import type { PromptRow } from '#schema'
import { type IntentTable, type Random, fillSlots, random } from '#simulate'
import { tables } from './grammar.ts'
import { knowledgeBase } from './knowledge-base.ts'
import { INTENT_WEIGHTS, MOOD_WEIGHTS, ROWS_PER_CUSTOMER } from './knobs.ts'

export const SPLITS = [
  'train',
  'held-out',
  'qualification',
  'pairs',
  'pairs-held-out',
  'rl',
  'marks',
  'best-of-n',
  'evaluation',
  'violations',
] as const
export type Split = (typeof SPLITS)[number]

/** `refund-billing`: only the two intents in which a limit can be broken. */
export type Mix = 'natural' | 'refund-billing'

export type DeskPrompt = PromptRow & { id: string; group: string; stratum: string; prompt: string }

/** `n` prompts of the split's customers: `group` is the customer, `stratum` the intent. */
export function prompts(
  seed: number,
  { n, split, mix = 'natural' }: { n: number; split: Split; mix?: Mix },
): DeskPrompt[] {
  const rows: DeskPrompt[] = []
  for (let customer = 0; rows.length < n; customer++) {
    const draw = random(seed, 'customer', split, mix, customer)
    const channel = draw.pick(tables.channels).name
    const count = 1 + draw.weighted(ROWS_PER_CUSTOMER)
    for (let i = 0; i < count && rows.length < n; i++) {
      const intent = drawIntent(draw, mix)
      rows.push({
        id: `${split}-${mix === 'natural' ? '' : 'rb-'}${String(rows.length + 1).padStart(5, '0')}`,
        group: customerId(split, mix, customer),
        stratum: intent.name,
        prompt: drawPrompt(draw, { intent, channel }),
      })
    }
  }
  return rows
}

/** Numbers that end in the split's place belong to it; the mixes of one split have customers of their own too. */
export function customerId(split: Split, mix: Mix, customer: number): string {
  const number = (customer * 2 + (mix === 'natural' ? 0 : 1)) * SPLITS.length + SPLITS.indexOf(split)
  return `customer-${String(number).padStart(6, '0')}`
}

function drawIntent(draw: Random, mix: Mix): IntentTable {
  const intents: readonly IntentTable[] = tables.intents.filter((i) => mix === 'natural' || 'limitWordings' in i)
  return intents[draw.weighted(intents.map((i) => INTENT_WEIGHTS[i.name]!))]!
}

export function drawPrompt(draw: Random, { intent, channel }: { intent: IntentTable; channel: string }): string {
  const kb = knowledgeBase
  const mood = tables.moods[draw.weighted(tables.moods.map((m) => MOOD_WEIGHTS[m.name]!))]!
  const slots: Record<string, string> = {
    item: draw.pick(kb.items),
    day: draw.pick(kb.days),
    month: draw.pick(kb.months),
    limit: String(draw.pick(kb.limits)),
    amount: String(draw.pick(kb.amounts)),
    window: String(draw.pick(kb.windows)),
    minutes: String(draw.pick(kb.minutes)),
    days: String(draw.pick(kb.days_late)),
  }
  const fact = fillSlots(intent.fact, slots)
  const decoy = fillSlots(intent.decoy, { [intent.value]: drawDecoy(draw, intent.value, slots) })
  const facts = draw.chance(0.5) ? `${fact}; ${decoy}` : `${decoy}; ${fact}`
  const request = fillSlots(draw.pick(intent.messages).text, slots)
  const phrase = draw.pick(mood.phrases)
  const message = draw.chance(0.3) ? `${phrase} ${request}` : `${request} ${phrase}`
  return `[${channel}] Facts: ${facts}; manager ${draw.pick(kb.managers)}.\nCustomer: ${message}\nReply on ${channel}:`
}

/** A value of the same kind as the true one, and never equal to it or to the amount asked for. */
function drawDecoy(draw: Random, value: string, slots: Record<string, string>): string {
  const kb = knowledgeBase
  const kinds: Record<string, readonly (string | number)[]> = {
    day: kb.days,
    month: kb.months,
    limit: [...kb.limits, ...kb.amounts],
    window: kb.windows,
    minutes: kb.minutes,
  }
  return draw.pick(
    kinds[value]!.map(String).filter((v) => v !== slots[value] && (value !== 'limit' || v !== slots.amount)),
  )
}
