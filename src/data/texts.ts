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

/** Same for texts that differ in spacing or Unicode form only. */
export function folded(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim()
}

export type ComparedTexts = {
  prompt: string
  replies: string[]
  /** Equal for rows that ask the same. */
  question: string
  /** Equal for rows that ask the same and answer the same. */
  answer: string
}

export function textsOf(row: RowOf[Kind], kind: Kind): ComparedTexts {
  const replies = replyTexts(row)
  const prompt = promptText(row.prompt)
  if (kind === 'ratings' && 'ratings' in row) {
    const question = JSON.stringify([row.item, row.annotator])
    return { prompt, replies, question, answer: JSON.stringify([question, row.ratings]) }
  }
  if (kind === 'judgements' && 'choice' in row) {
    const question = JSON.stringify([row.item, row.annotator])
    return { prompt, replies, question, answer: JSON.stringify([question, preferred(row)]) }
  }
  if (kind === 'comparisons') {
    const question = JSON.stringify([folded(prompt), ...replies.map(folded).sort()])
    return {
      prompt,
      replies,
      question,
      answer: 'chosen' in row ? JSON.stringify([question, folded(row.chosen)]) : question,
    }
  }
  const answer = JSON.stringify([prompt, ...replies].map(folded))
  return { prompt, replies, question: answer, answer }
}

/** The text that a judgement prefers, so that the side shown does not matter. */
function preferred({ choice, left, right }: RowOf['judgements']): string {
  if (choice === 'left') return `text:${left}`
  return choice === 'right' ? `text:${right}` : choice
}

export function wholeText({ prompt, replies }: ComparedTexts): string {
  return [prompt, ...replies].join('\n')
}
