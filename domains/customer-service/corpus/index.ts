// The text that the tiny base is made of, and what is measured on it. Documents are drawn by (seed, purpose, index), so
// any number of them can be taken and the same ones come again.
import { random } from '#simulate'
import { CORPUS_MIX } from '../knobs.ts'
import { prompts } from '../prompts.ts'
import { looseDocument, messageDocument, ticketDocument } from './desk.ts'
import { echoDocument, generalDocument } from './general.ts'
import { type Lookup, drawLookup, notesDocument } from './notes.ts'
import { isReplyFree } from './reply-free.ts'
import { deskWords, generalWords } from './words.ts'

export type { Lookup } from './notes.ts'
export { isReplyFree } from './reply-free.ts'

type CorpusKind = keyof typeof CORPUS_MIX

/** The base's documents without end: no demonstration, no reply sentence and no eight words of one. */
export function* baseCorpus(seed: number): Generator<string> {
  for (let i = 0; ; i++) yield baseDocument(seed, i)
}

/** `n` domain-free documents that no base corpus draws: `replay` to mix into training, `held-out` to measure perplexity on. */
export function generalText(seed: number, n: number, use: 'replay' | 'held-out'): string[] {
  return Array.from({ length: n }, (_, i) => generalDocument(random(seed, 'general text', use, i)))
}

/** `n` questions on notes, drawn apart from every corpus: the gate on the base is the share answered right. */
export function lookupEval(seed: number, n: number): Lookup[] {
  return Array.from({ length: n }, (_, i) => drawLookup(random(seed, 'look-up', i)))
}

/** What the tokenizer is trained on: base documents, prompts, and each word that a reply may need, alone. */
export function tokenizerTexts(seed: number): string[] {
  const documents: string[] = []
  for (const document of baseCorpus(seed)) {
    if (documents.length === 4000) break
    documents.push(document)
  }
  const alone = Array.from({ length: 300 }, (_, i) =>
    random(seed, 'words', i)
      .shuffled([...deskWords, ...generalWords])
      .join(' '),
  )
  return [...documents, ...alone, ...prompts(seed, { n: 300, split: 'train' }).map((p) => p.prompt)]
}

/** Numbers as single tokens: 00 to 99, 0 to 9, each with and without a blank before. */
export const seedTokens: string[] = Array.from({ length: 110 }, (_, i) =>
  i < 100 ? String(i).padStart(2, '0') : String(i - 100),
).flatMap((digits) => [digits, ` ${digits}`])

function baseDocument(seed: number, index: number): string {
  for (let attempt = 0; ; attempt++) {
    const document = drawDocument(seed, index, attempt)
    if (isReplyFree(document)) return document
  }
}

function drawDocument(seed: number, index: number, attempt: number): string {
  const draw = random(seed, 'base', index, attempt)
  const kind = (Object.keys(CORPUS_MIX) as CorpusKind[])[draw.weighted(Object.values(CORPUS_MIX))]!
  switch (kind) {
    case 'echo':
      return echoDocument(draw, draw.chance(0.5) ? deskWords : generalWords)
    case 'notes':
      return notesDocument(draw, draw.chance(0.6) ? 'desk' : 'general')
    case 'tickets':
      return ticketDocument(draw)
    case 'messages':
      return messageDocument(draw)
    case 'loose':
      return looseDocument(draw)
    case 'general':
      return generalDocument(draw)
    default:
      return kind satisfies never
  }
}
