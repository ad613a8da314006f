// Tokens of one sample as what a client sees: text up to a stop string, the log-probability of each token once its text is
// shown, why it ended. Pieces that nobody has fetched yet are one piece, so a reader that stands still costs its text alone.
import type { SampleEvent } from '#engine/contract'
import { streamText, type Tokenizer } from '#text'

/** `offset`: where the token begins in the choice's text, UTF-16 units. */
export type ToldToken = { token: number; logprob: number; offset: number; top: { token: number; logprob: number }[] }
export type Piece = { text: string; told: ToldToken[]; tokens: number; finish?: 'stop' | 'length' }

export type Choice = { push(event: SampleEvent): void; take(): Piece | undefined }

export function openChoice(tokenizer: Tokenizer, { stops }: { stops: readonly string[] }): Choice {
  const shown = streamText(tokenizer, { stops })
  const all = streamText(tokenizer)
  const held: (ToldToken & { end: number })[] = []
  let [shownLength, allLength] = [0, 0]
  let piece: Piece | undefined
  return {
    push({ tokens, logprobs, top, done }) {
      piece ??= { text: '', told: [], tokens: 0 }
      for (const [i, token] of tokens.entries()) {
        const offset = allLength
        allLength += all.push([token]).length
        const likeliest = top?.[i]
        held.push({
          token,
          logprob: logprobs[i]!,
          offset,
          end: allLength,
          top: Array.from(likeliest?.tokens ?? [], (other, k) => ({ token: other, logprob: likeliest!.logprobs[k]! })),
        })
      }
      const text = shown.push(tokens) + (done ? shown.end() : '')
      piece.text += text
      piece.tokens += tokens.length
      shownLength += text.length
      if (done) {
        piece.finish = done === 'length' ? 'length' : 'stop'
        // The end of sequence has no text; of a stop string, only tokens that show some of theirs are told.
        if (tokenizer.eosIds.includes(held.at(-1)?.token ?? -1)) held.pop()
        piece.told.push(...held.filter(({ offset, end }) => offset < shownLength || end <= shownLength))
      } else while (held.length > 0 && held[0]!.end <= shownLength) piece.told.push(held.shift()!)
    },
    take() {
      const taken = piece
      piece = undefined
      return taken
    },
  }
}
