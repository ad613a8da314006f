// Contamination: a training text that shares a run of n words with an evaluation text. n = 13 is GPT-3's
// (arXiv 2005.14165, appendix C); 8 finds more and accuses common phrases. A text shorter than n words is one run,
// so it is found only as the whole of another text: inside a long one it is chance.
import type { HeldOut, Reason } from './check.ts'
import { type ComparedTexts, promptText, replyTexts, wordsOf } from './texts.ts'

/** A whole text of fewer words is too common to accuse anybody. */
const LEAST_WORDS = 5

/** Finds for a row the first run of `n` words that an evaluation row has too. */
export function contaminationFinder(evaluation: readonly HeldOut[], n: number): (texts: ComparedTexts) => Reason[] {
  const runs = new Map<string, number>()
  for (const [i, row] of evaluation.entries()) {
    for (const run of runsIn([promptText(row.prompt), ...replyTexts(row)], n)) if (!runs.has(run)) runs.set(run, i)
  }
  return ({ prompt, replies }) => {
    for (const run of runsIn([prompt, ...replies], n)) {
      const found = runs.get(run)
      if (found !== undefined)
        return [
          {
            check: 'contamination',
            detail: `evaluation row ${found + 1} has: ${shorten(run)}`,
            other: found,
            among: 'evaluation',
          },
        ]
    }
    return []
  }
}

function* runsIn(texts: readonly string[], n: number): Generator<string> {
  for (const text of texts) yield* runsOf(wordsOf(text), n)
}

function* runsOf(words: string[], n: number): Generator<string> {
  if (words.length < Math.min(LEAST_WORDS, n)) return
  const width = Math.min(n, words.length)
  for (let i = 0; i + width <= words.length; i++) yield words.slice(i, i + width).join(' ')
}

function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 97)}...` : text
}
