// Text of tokens as they arrive: a character whose bytes are split over tokens is held back until it is whole.
import type { Tokenizer } from './tokenizer.ts'

export type TextStream = {
  /** The text that these tokens complete; may be empty. */
  push(tokens: ArrayLike<number>): string
  /** What is left: U+FFFD for an unfinished character. */
  end(): string
}

/** Pushed and ended, the parts join to exactly what `decode` gives for all tokens at once. */
export function streamText(tokenizer: Tokenizer, { skipSpecial = true }: { skipSpecial?: boolean } = {}): TextStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  return {
    push(tokens) {
      let text = ''
      for (const token of Array.from(tokens))
        if (!(skipSpecial && tokenizer.specialIds.has(token)))
          text += decoder.decode(tokenizer.bytesOf(token), { stream: true })
      return text
    },
    end: () => decoder.decode(),
  }
}
