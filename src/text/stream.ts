// Text of tokens as they arrive: a character whose bytes are split over tokens is held back until it is whole, and so is
// what may become a stop string.
import { cutAtStop } from './stop.ts'
import type { Tokenizer } from './tokenizer.ts'

export type TextStream = {
  /** The text that these tokens complete; may be empty. */
  push(tokens: ArrayLike<number>): string
  /** What is left: U+FFFD for an unfinished character. */
  end(): string
  /** A stop string came: the text ends before it. */
  readonly isStopped: boolean
}

/** Pushed and ended, the parts join to exactly what `decode` gives for all tokens at once, up to the first of `stops`. */
export function streamText(
  tokenizer: Tokenizer,
  { skipSpecial = true, stops = [] }: { skipSpecial?: boolean; stops?: readonly string[] } = {},
): TextStream {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  const cut = cutAtStop(stops)
  return {
    push(tokens) {
      let text = ''
      for (const token of Array.from(tokens))
        if (!(skipSpecial && tokenizer.specialIds.has(token)))
          text += decoder.decode(tokenizer.bytesOf(token), { stream: true })
      return cut.push(text)
    },
    end: () => cut.push(decoder.decode()) + cut.end(),
    get isStopped() {
      return cut.isStopped
    },
  }
}

/** Follows a sample and ends it once its text holds one of `stops`, however tokens cut it. */
export function stopGuide(tokenizer: Tokenizer, stops: readonly string[]): { push: (token: number) => boolean } {
  const stream = streamText(tokenizer, { stops })
  return {
    push(token) {
      stream.push([token])
      return stream.isStopped
    },
  }
}
