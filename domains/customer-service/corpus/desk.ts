// Text about the desk that holds no reply: customers' messages, tickets with reading questions, loose sentences.
import { type Random, fillSlots } from '#simulate'
import { gold } from '../gold.ts'
import { tables } from '../grammar.ts'
import { INTENT_WEIGHTS } from '../knobs.ts'
import { knowledgeBase } from '../knowledge-base.ts'
import { drawPrompt } from '../prompts.ts'
import * as words from './words.ts'

/** What a customer writes, alone. */
export function messageDocument(draw: Random): string {
  return /\n(Customer: .*)\n/.exec(deskPrompt(draw))![1]!
}

/** A whole request with questions on what it says; never how it was answered, nor what policy asks. */
export function ticketDocument(draw: Random): string {
  const prompt = deskPrompt(draw)
  const s = gold.readPrompt(prompt)
  const questions: [string, string][] = [
    ['How does the customer feel?', s.mood],
    ['What is it about?', s.intent.name],
    ['Which item?', s.slots.item!],
    ['Who is the manager?', s.manager],
    [fillSlots('What of this: {key}?', { key: keyOf(s.intent.fact, s.slots) }), valueOf(s.intent.value, s.slots)],
  ]
  if (s.amount !== undefined && s.limit !== undefined) {
    questions.push(['How much is asked for?', `$${s.amount}`])
    questions.push(['Is that above the limit?', s.amount > s.limit ? 'yes' : 'no'])
  }
  if (s.slots.days) questions.push(['How many days late?', s.slots.days])
  const asked = draw.shuffled(questions).slice(0, 2 + draw.integer(3))
  return `${prompt.replace(/\nReply on \w+:$/, '')}${asked.map(([q, a]) => `\nQuestion: ${q}\nAnswer: ${a}.`).join('')}`
}

/** Sentences of the trade put together by chance: its words, not its sense. */
export function looseDocument(draw: Random): string {
  return Array.from({ length: 2 + draw.integer(3) }, () => {
    const subject = draw.pick(words.subjects)
    const object = draw.pick([...knowledgeBase.items, ...words.things])
    const some = draw.pick(words.deskWords).toLowerCase()
    switch (draw.integer(3)) {
      case 0:
        return `${subject} ${draw.pick(words.acts)} the ${object} ${draw.pick(words.times)}.`
      case 1:
        return `${subject} is ${draw.pick(words.feelings)} and says ${some}.`
      default:
        return `The word ${some} and the ${object} go ${draw.pick(words.times)}.`
    }
  }).join(' ')
}

function deskPrompt(draw: Random): string {
  const intent = tables.intents[draw.weighted(tables.intents.map((i) => INTENT_WEIGHTS[i.name]!))]!
  return drawPrompt(draw, { intent, channel: draw.pick(tables.channels).name })
}

function keyOf(fact: string, slots: Record<string, string>): string {
  return fillSlots(fact.replace(/ ?\$?\{(?:day|month|limit|window|minutes)\}.*$/, ''), slots)
}

function valueOf(slot: string, slots: Record<string, string>): string {
  return slot === 'limit' ? `$${slots.limit!}` : slots[slot]!
}
