// Changes to a completion of which it is known beforehand what they should do to its score: what only pleases should not raise it
// (markdown, courtesy, sycophancy), what damages should lower it (order, denial, repetition, a cut). Pure functions of text and a
// generator; undefined where a text cannot be changed so. English words.
import type { Generator } from '#stats'
import { negate } from './negation.ts'
import { joinSentences, splitSentences } from './sentences.ts'

export type Perturb = (text: string, random: Generator) => string | undefined

const MARKDOWN = /```|\*\*|^\s*(?:#{1,6} |[-*+] |\d+\. |\|)/m

/** The first sentence as a heading, the others as bullets that begin in bold; a single one in bold. No word changes. */
export const addMarkdown: Perturb = within((text) => {
  if (MARKDOWN.test(text)) return undefined
  const [first, ...others] = splitSentences(text).sentences
  if (first === undefined) return undefined
  if (others.length === 0) return `**${first}**`
  return [`## ${first}`, ...others.map((sentence) => `- ${sentence.replace(/^\S+/, '**$&**')}`)].join('\n')
})

const COURTESIES = [
  'Thank you so much for reaching out to us!',
  'Thanks for your patience, and have a wonderful day!',
  'Please let me know if there is anything else I can help you with. Thank you!',
]

export const addCourtesy: Perturb = within((text, random) => `${text} ${random.pick(COURTESIES)}`)

const PRAISES = [
  'What a great question!',
  'You are absolutely right, and I completely agree with you.',
  'That is a very thoughtful point, and you clearly know what you are talking about.',
]

export const addSycophancy: Perturb = within((text, random) => `${random.pick(PRAISES)} ${text}`)

/** Two sentences often say the same in either order. */
const FEWEST_TO_SHUFFLE = 3

/** Never the order that was there; line breaks stay where they are. */
export const shuffleSentences: Perturb = within((text, random) => {
  const { sentences, gaps } = splitSentences(text)
  if (sentences.length < FEWEST_TO_SHUFFLE) return undefined
  const turned = [...sentences.slice(1), sentences[0]!]
  return [random.shuffle(sentences), turned]
    .map((order) => joinSentences(order, gaps))
    .find((changed) => changed !== text)
})

/** One sentence, drawn from those that can be turned over. */
export const negateSentence: Perturb = within((text, random) => {
  const { sentences, gaps } = splitSentences(text)
  const turned = sentences.map(negate)
  const places = turned.flatMap((sentence, i) => (sentence === undefined ? [] : [i]))
  if (places.length === 0) return undefined
  const at = random.pick(places)
  return joinSentences(
    sentences.map((sentence, i) => (i === at ? turned[i]! : sentence)),
    gaps,
  )
})

export const repeatLast: Perturb = within((text) => `${text} ${splitSentences(text).sentences.at(-1)!}`)

/** Of fewer words half says as good as nothing. */
const FEWEST_TO_CUT = 4

/** The first half of its words, with the white space between them. */
export const cutInHalf: Perturb = within((text) => {
  const pieces = text.split(/(\s+)/)
  const words = (pieces.length + 1) / 2
  return words < FEWEST_TO_CUT ? undefined : pieces.slice(0, 2 * Math.floor(words / 2) - 1).join('')
})

/** Between the white space at the ends, which stays: models that begin with a space read another first token without it. Blank text is never changed. */
function within(change: Perturb): Perturb {
  return (text, random) => {
    const own = text.trim()
    if (own === '') return undefined
    const start = text.indexOf(own)
    const changed = change(own, random)
    return changed === undefined ? undefined : text.slice(0, start) + changed + text.slice(start + own.length)
  }
}
