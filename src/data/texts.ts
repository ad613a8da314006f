// The texts of a row, as checks compare them: what was asked, what was answered, and words without case or punctuation.
import type { Prompt } from '#schema'
import type { Kind, RowOf } from './normalise.ts'

/** Words of a prompt; turns are joined, roles left out. */
export function promptText(prompt: Prompt | undefined): string {
  if (prompt === undefined || typeof prompt === 'string') return prompt ?? ''
  return prompt.map((turn) => turn.content).join('\n')
}

/** The completions of a row: one, two, or none. */
export function replyTexts(row: RowOf[Kind]): string[] {
  if ('completion' in row) return [row.completion]
  if ('chosen' in row) return [row.chosen, row.rejected]
  if ('a' in row) return [row.a, row.b]
  if ('left' in row) return [row.left, row.right]
  return []
}

/** Lower-case runs of letters and digits, after Unicode's compatibility folding. */
export function wordsOf(text: string): string[] {
  return (
    text
      .normalize('NFKC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  )
}

/** Words of ASCII with one space between them: folded as they are. */
const FOLDED = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/

/** Same for texts that differ in spacing or Unicode form only. */
export function folded(text: string): string {
  if (FOLDED.test(text)) return text
  return text.normalize('NFC').replace(/\s+/g, ' ').trim()
}

export type ComparedTexts = {
  prompt: string
  replies: string[]
  /** All of them, a line each. */
  whole: string
}

export function textsOf(row: RowOf[Kind]): ComparedTexts {
  const prompt = promptText(row.prompt)
  const replies = replyTexts(row)
  return { prompt, replies, whole: replies.length === 1 ? `${prompt}\n${replies[0]}` : [prompt, ...replies].join('\n') }
}

export type Keys = {
  /** Equal for rows that ask the same. */
  question: string
  /** Equal for rows that ask the same and answer the same. */
  answer: string
}

export function keysOf(row: RowOf[Kind], kind: Kind, { prompt, replies }: ComparedTexts): Keys {
  if (kind === 'ratings' && 'ratings' in row) {
    const question = JSON.stringify([row.item, row.annotator])
    return { question, answer: JSON.stringify([question, row.ratings]) }
  }
  if (kind === 'judgements' && 'choice' in row) {
    const question = JSON.stringify([row.item, row.annotator])
    return { question, answer: JSON.stringify([question, preferred(row)]) }
  }
  if (kind === 'comparisons') {
    const question = JSON.stringify([folded(prompt), ...replies.map(folded).sort()])
    return { question, answer: 'chosen' in row ? JSON.stringify([question, folded(row.chosen)]) : question }
  }
  const answer = JSON.stringify([prompt, ...replies].map(folded))
  return { question: answer, answer }
}

/** The text that a judgement prefers, so that the side shown does not matter. */
function preferred({ choice, left, right }: RowOf['judgements']): string {
  if (choice === 'left') return `text:${left}`
  return choice === 'right' ? `text:${right}` : choice
}
