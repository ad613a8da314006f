// Notes with questions: what teaches a small model to look a value up by its key. Some notes speak of the desk's facts,
// in the form of its prompts but never of its replies; the rest of anything.
import { type Random, fillSlots } from '#simulate'
import { knowledgeBase } from '../knowledge-base.ts'
import { colours, foods, names, places, things } from './words.ts'

/** `fact` ends in the slot that `questions` ask for. */
type NoteKind = { fact: string; questions: readonly string[]; value: string }

const deskKinds: readonly NoteKind[] = [
  {
    fact: '{item} arrives {day}',
    value: 'day',
    questions: ['When does the {item} arrive?', 'Which day is it that the {item} arrives?'],
  },
  {
    fact: 'office closed {day}',
    value: 'day',
    questions: ['When is the office closed?', 'Which day is the office closed?'],
  },
  {
    fact: 'new {item} ships {day}',
    value: 'day',
    questions: ['When does the new {item} ship?', 'Which day is it that the new {item} ships?'],
  },
  {
    fact: 'staff meets {day}',
    value: 'day',
    questions: ['When does the staff meet?', 'Which day is it that the staff meets?'],
  },
  {
    fact: '{item} in stock {day}',
    value: 'day',
    questions: ['When is the {item} in stock?', 'Which day is the {item} in stock?'],
  },
  {
    fact: 'shop painted {day}',
    value: 'day',
    questions: ['When is the shop painted?', 'Which day is the shop painted?'],
  },
  {
    fact: 'plan ends {month}',
    value: 'month',
    questions: ['When does the plan end?', 'Which month is it that the plan ends?'],
  },
  {
    fact: 'sale starts {month}',
    value: 'month',
    questions: ['When does the sale start?', 'Which month is it that the sale starts?'],
  },
  {
    fact: 'refund limit ${limit}',
    value: 'limit',
    questions: ['What is the refund limit?', 'How high is the refund limit?'],
  },
  {
    fact: 'gift card ${limit}',
    value: 'limit',
    questions: ['What is on the gift card?', 'How much is the gift card?'],
  },
  {
    fact: 'credit limit ${limit}',
    value: 'limit',
    questions: ['What is the credit limit?', 'How high is the credit limit?'],
  },
  {
    fact: 'yearly fee ${limit}',
    value: 'limit',
    questions: ['What is the yearly fee?', 'How much is the yearly fee?'],
  },
  {
    fact: 'returns within {window} days',
    value: 'window',
    questions: ['How many days for returns?', 'Returns are taken within how many days?'],
  },
  {
    fact: 'repairs take {window} days',
    value: 'window',
    questions: ['How many days for repairs?', 'Repairs take how many days?'],
  },
  {
    fact: 'reset link lasts {minutes} minutes',
    value: 'minutes',
    questions: ['How many minutes for the reset link?', 'The reset link lasts how many minutes?'],
  },
  {
    fact: 'phone line waits {minutes} minutes',
    value: 'minutes',
    questions: ['How many minutes for the phone line?', 'The phone line waits how many minutes?'],
  },
  { fact: 'manager {manager}', value: 'manager', questions: ['Who is the manager?', 'Name the manager.'] },
]

const generalKinds: readonly NoteKind[] = [
  {
    fact: '{name} likes {food}',
    value: 'food',
    questions: ['What does {name} like?', 'Which food is it that {name} likes?'],
  },
  {
    fact: '{name} lives near {place}',
    value: 'place',
    questions: ['Where does {name} live?', 'Near what does {name} live?'],
  },
  {
    fact: '{thing} is {colour}',
    value: 'colour',
    questions: ['What colour is the {thing}?', 'Name the colour of the {thing}.'],
  },
  {
    fact: '{thing} costs ${price}',
    value: 'price',
    questions: ['What does the {thing} cost?', 'How much is the {thing}?'],
  },
  { fact: '{name} has {count} {food}', value: 'count', questions: ['How many {food} has {name}?'] },
  {
    fact: '{place} opens {day}',
    value: 'day',
    questions: ['When does the {place} open?', 'Which day is it that the {place} opens?'],
  },
  {
    fact: '{thing} lies in {place}',
    value: 'place',
    questions: ['Where is the {thing}?', 'In what does the {thing} lie?'],
  },
  { fact: '{name} sings in {month}', value: 'month', questions: ['When does {name} sing?'] },
]

const kb = knowledgeBase
const values: Record<string, readonly string[]> = {
  item: kb.items,
  day: kb.days,
  month: kb.months,
  manager: kb.managers,
  limit: [...kb.limits, ...kb.amounts].map(String),
  window: kb.windows.map(String),
  minutes: kb.minutes.map(String),
  name: names,
  food: foods,
  place: places,
  thing: things,
  colour: colours,
  price: Array.from({ length: 90 }, (_, i) => String(i + 10)),
  count: Array.from({ length: 90 }, (_, i) => String(i + 10)),
}

type Note = { fact: string; key: string; question: string; answer: string; value: string }

function drawNote(draw: Random, kind: NoteKind): Note {
  const slots = Object.fromEntries(Object.entries(values).map(([slot, list]) => [slot, draw.pick(list)]))
  const dollars = kind.fact.includes('${') ? '$' : ''
  return {
    fact: fillSlots(kind.fact, slots),
    key: fillSlots(kind.fact.replace(/ ?\$?\{(\w+)\}( days| minutes)?$/, ''), slots),
    question: fillSlots(draw.pick(kind.questions), slots),
    answer: `${dollars}${slots[kind.value]!}`,
    value: kind.value,
  }
}

/** `count` notes with keys of their own. */
function drawNotes(draw: Random, kinds: readonly NoteKind[], count: number): Note[] {
  const notes: Note[] = []
  while (notes.length < count) {
    const note = drawNote(draw, draw.pick(kinds))
    if (!notes.some((n) => n.key === note.key)) notes.push(note)
  }
  return notes
}

/** Facts and one to three questions about them, or the facts told again in another order. */
export function notesDocument(draw: Random, about: 'desk' | 'general'): string {
  const notes = drawNotes(draw, about === 'desk' ? deskKinds : generalKinds, 2 + draw.integer(3))
  const facts = notes.map((n) => n.fact).join('; ')
  const label =
    about === 'desk' && draw.chance(0.4)
      ? `[${draw.pick(['chat', 'email', 'social'])}] Facts`
      : draw.pick(['Facts', 'Facts', 'Notes', 'Known'])
  const asked = draw.shuffled(notes)
  if (draw.chance(0.2)) return `${label}: ${facts}.\nAgain: ${asked.map((n) => n.fact).join('; ')}.`
  const questions = asked.slice(0, 1 + draw.integer(3)).map((note) => {
    const [question, answer] = draw.chance(0.25)
      ? [`What is said of ${note.key}?`, note.fact]
      : [note.question, note.answer]
    return `\nQuestion: ${question}\nAnswer: ${answer}.`
  })
  return `${label}: ${facts}.${questions.join('')}`
}

export type Lookup = {
  /** Ends in `Answer:`; the model goes on. */
  prompt: string
  /** With its leading space. */
  answer: string
  /** Four continuations of which `answer` is one, those of the same note first. */
  options: string[]
}

/** Questions on notes for measuring look-up: half of the desk's kind. Seeds of training and measuring must differ. */
export function drawLookup(draw: Random): Lookup {
  const kinds = draw.chance(0.5) ? deskKinds : generalKinds
  for (;;) {
    const notes = drawNotes(draw, kinds, 3)
    const asked = draw.pick(notes)
    const rivals = notes.filter((n) => n.value === asked.value && n.answer !== asked.answer).map((n) => n.answer)
    const dollars = asked.answer.startsWith('$') ? '$' : ''
    const others = draw.shuffled(values[asked.value]!).map((v) => `${dollars}${v}`)
    const options = [...new Set([asked.answer, ...rivals, ...others])].slice(0, 4)
    // A question without a rival in its note is answered by any value seen, not by look-up.
    if (rivals.length === 0) continue
    const facts = notes.map((n) => n.fact).join('; ')
    return {
      prompt: `Facts: ${facts}.\nQuestion: ${asked.question}\nAnswer:`,
      answer: ` ${asked.answer}`,
      options: draw.shuffled(options).map((o) => ` ${o}`),
    }
  }
}
