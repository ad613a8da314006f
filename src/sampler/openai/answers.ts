// What clients get: bodies and events in OpenAI's shapes.
import type { Tokenizer } from '#text'
import type { Piece, ToldToken } from '../choices.ts'

export type Kind = 'chat' | 'text'
export type Head = { id: string; created: number; model: string }
export type Usage = { prompt_tokens: number; completion_tokens: number; total_tokens: number }

/** A whole answer; `told` of each piece only where log-probabilities were asked for. */
export function wholeBody(
  kind: Kind,
  head: Head,
  o: { pieces: Piece[]; usage: Usage; told: Told | undefined },
): object {
  const choices = o.pieces.map((piece, index) => ({
    index,
    ...(kind === 'chat'
      ? { message: { role: 'assistant', content: piece.text, refusal: null } }
      : { text: piece.text }),
    logprobs: o.told ? o.told(piece.told) : null,
    finish_reason: piece.finish ?? null,
  }))
  return { ...head, object: kind === 'chat' ? 'chat.completion' : 'text_completion', choices, usage: o.usage }
}

/** Events of one piece: who speaks, its text, why it ended; each apart, as clients expect. */
export function chunks(
  kind: Kind,
  head: Head,
  o: { index: number; piece: Piece; isFirst: boolean; told: Told | undefined; withUsage: boolean },
): object[] {
  const { index, piece, isFirst } = o
  const chunk = (content: object, told: ToldToken[], finish: string | null): object => ({
    ...head,
    object: kind === 'chat' ? 'chat.completion.chunk' : 'text_completion',
    choices: [{ index, ...content, logprobs: o.told && told.length > 0 ? o.told(told) : null, finish_reason: finish }],
    ...(o.withUsage && { usage: null }),
  })
  const textual = (text: string): object => (kind === 'text' ? { text } : { delta: { content: text } })
  const made: object[] = []
  if (isFirst && kind === 'chat') made.push(chunk({ delta: { role: 'assistant', content: '' } }, [], null))
  if (piece.text !== '' || piece.told.length > 0) made.push(chunk(textual(piece.text), piece.told, null))
  if (piece.finish) made.push(chunk(kind === 'text' ? { text: '' } : { delta: {} }, [], piece.finish))
  return made
}

export function usageChunk(kind: Kind, head: Head, usage: Usage): object {
  return { ...head, object: kind === 'chat' ? 'chat.completion.chunk' : 'text_completion', choices: [], usage }
}

export type Told = (tokens: ToldToken[]) => object

export function toldAs(kind: Kind, tokenizer: Tokenizer): Told {
  // JSON has no -Infinity; OpenAI says -9999.
  const number = (logprob: number): number => Math.max(logprob, -9999)
  const named = ({ token, logprob }: { token: number; logprob: number }) => ({
    token: tokenizer.decode([token]),
    logprob: number(logprob),
    bytes: [...tokenizer.bytesOf(token)],
  })
  if (kind === 'chat')
    return (told) => ({
      content: told.map((each) => ({ ...named(each), top_logprobs: each.top.map(named) })),
      refusal: null,
    })
  return (told) => ({
    tokens: told.map(({ token }) => tokenizer.decode([token])),
    token_logprobs: told.map(({ logprob }) => number(logprob)),
    top_logprobs: told.map(({ top }) =>
      Object.fromEntries(top.map(({ token, logprob }) => [tokenizer.decode([token]), number(logprob)])),
    ),
    text_offset: told.map(({ offset }) => offset),
  })
}
