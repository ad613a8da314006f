// Sentences of English or English-like text with the white space between them, so that a text can be put together again
// exactly. Left out: scripts that end sentences by other marks, whose texts are one sentence here.

/** `sentences` and the `gaps` after all but the last: interleaved they are the text without the white space at its ends. */
export type Sentences = { sentences: string[]; gaps: string[] }

/** An end mark, white space, and a beginning that can be one; or a new line. Titles, short forms and the numbers of lists end nothing. */
const GAP =
  /((?<=[.!?]["')\]\u201d\u2019]*)(?<!\b(?:Mr|Mrs|Ms|Dr|Prof|St|No|vs|e\.g|i\.e)\.)(?<!(?:^|\n)\s*\d+\.)\s+(?=["'([\u201c\u2018]*[\p{Lu}\p{N}])|\s*\n\s*)/u

export function splitSentences(text: string): Sentences {
  const pieces = text.trim().split(GAP)
  return {
    sentences: pieces.filter((piece, i) => i % 2 === 0 && piece !== ''),
    gaps: pieces.filter((_, i) => i % 2 === 1),
  }
}

/** Other sentences, or the same in another order, between the same gaps. */
export function joinSentences(sentences: readonly string[], gaps: readonly string[]): string {
  return sentences.map((sentence, i) => (i === 0 ? sentence : `${gaps[i - 1]}${sentence}`)).join('')
}
