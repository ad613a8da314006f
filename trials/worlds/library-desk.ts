// A library's desk: questions about a book, and answers that take one fact from the prompt. Nothing of it is in the
// repository's own domains or in the text that the bundled base was trained on.
import { deriveSeed, type Generator, generator } from '#stats'

/** `stratum` is what is asked; the completion has a leading space, as texts are joined. */
export type DeskRow = { id: string; stratum: Kind; facts: Facts; prompt: string; completion: string }
export type Verdict = { isInForm: boolean; isRight: boolean }

type Facts = { shelf: string; day: string; fine: string }
const KINDS = ['shelf', 'day', 'fine'] as const satisfies (keyof Facts)[]
type Kind = (typeof KINDS)[number]

const ADJECTIVES = ['Silent', 'Golden', 'Hidden', 'Broken', 'Winter', 'Crooked', 'Distant', 'Paper', 'Hollow', 'Amber']
const NOUNS = ['Harbor', 'Orchard', 'Lantern', 'Bridge', 'Garden', 'Compass', 'Tower', 'Meadow', 'Letter', 'Island']
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const QUESTIONS: Record<Kind, string[]> = {
  shelf: ['Where do I find BOOK?', 'Which shelf has BOOK?', 'I am looking for BOOK.'],
  day: ['When must BOOK come back?', 'Until which day may I keep BOOK?'],
  fine: ['I am late with BOOK. What do I owe?', 'How much is the fine for BOOK?'],
}
/** FACT stands for the fact asked about; the wording of a kind is drawn. */
const ANSWERS: Record<Kind, string[]> = {
  shelf: ['It stands on shelf FACT.', 'You find it on shelf FACT.'],
  day: ['Please bring it back by FACT.', 'You may keep it until FACT.'],
  fine: ['You owe FACT cents.', 'The fine is FACT cents.'],
}

/** `unseen`: rows about books that no demonstration is about. */
export function libraryDesk(
  seed: number,
  { demonstrations, unseen }: { demonstrations: number; unseen: number },
): { demonstrations: DeskRow[]; unseen: DeskRow[] } {
  const random = generator(deriveSeed(seed, 'library-desk'))
  const books = random.shuffle(ADJECTIVES.flatMap((adjective) => NOUNS.map((noun) => `The ${adjective} ${noun}`)))
  const known = books.slice(unseen)
  return {
    demonstrations: Array.from({ length: demonstrations }, (_, i) => draw(random, `desk-${i + 1}`, random.pick(known))),
    unseen: books.slice(0, unseen).map((book, i) => draw(random, `unseen-${i + 1}`, book)),
  }
}

/** In form: word for word an answer to this question, but for the fact; right: with the prompt's fact. */
export function judgeAnswer({ stratum, facts }: DeskRow, answer: string): Verdict {
  const said = ANSWERS[stratum].flatMap((form) => {
    const [before, after] = ` ${form}`.split('FACT') as [string, string]
    const isSo = answer.startsWith(before) && answer.endsWith(after)
    return isSo ? [answer.slice(before.length, -after.length)] : []
  })
  return { isInForm: said.length > 0, isRight: said.includes(facts[stratum]) }
}

function draw(random: Generator, id: string, book: string): DeskRow {
  const stratum = random.pick(KINDS)
  // A guess is right on one day of six, one number of eighty.
  const facts: Facts = {
    shelf: String(10 + random.int(80)),
    day: random.pick(DAYS),
    fine: String(10 + random.int(90)),
  }
  const question = random.pick(QUESTIONS[stratum]).replace('BOOK', book)
  const answer = random.pick(ANSWERS[stratum]).replace('FACT', facts[stratum])
  return {
    id,
    stratum,
    facts,
    prompt: `Facts: shelf ${facts.shelf}; due ${facts.day}; fine ${facts.fine} cents.\nReader: ${question}\nDesk:`,
    completion: ` ${answer}`,
  }
}
