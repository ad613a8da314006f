// Completions of prompts as text while it comes: what hone generate, chat and evaluate draw, and what fills campaigns. A
// completion's draws follow from the seed and its place among the rows alone, however the rows are shared out.
import { DataError } from '#errors'
import type { SampleEvent, SampleRequest } from '#engine/contract'
import type { Prompt } from '#schema'
import { deriveSeed } from '#stats'
import { type JsonGrammar, jsonGuides, stopGuide, streamText, tokenizePrompt, type Tokenizer } from '#text'

/** `topK` and `minP` 0, `topP` and `repetitionPenalty` 1: off. `temperature` 0 = the likeliest token. `stop`: a completion ends before any of these. */
export type Drawing = {
  maxTokens: number
  temperature: number
  topP: number
  topK: number
  minP: number
  repetitionPenalty: number
  stop: string[]
  n: number
  seed: number
}
/** `logprob`: summed over the tokens, of softmax(logits / temperature) untruncated. `finished`: ended by itself. */
export type Completion = { completion: string; finished: boolean; logprob: number; tokens: number }
/** New text of sample `sample` of prompt `row`; `done` comes with the last of it. */
export type Piece = { row: number; sample: number; text: string; done?: Completion }

export type Answering = {
  tokenizer: Tokenizer
  /** Longest sequence that the model takes. */
  maxTokens: number
  /** Events of all these requests, whoever else is being answered. */
  sample: (requests: SampleRequest[], signal?: AbortSignal) => AsyncIterable<SampleEvent>
}

/** What all draws of a row follow from. */
export function completionSeed(seed: number, row: number): number {
  return deriveSeed(seed, 'completion', row)
}

/** Pieces of all completions, in the order in which they come. Ends early, without a word, when `signal` is aborted. */
export async function* drawRows(
  { tokenizer, maxTokens: limit, sample }: Answering,
  prompts: readonly { row: number; prompt: Prompt }[],
  {
    drawing,
    grammar,
    signal,
    showSpecial = false,
  }: {
    drawing: Drawing
    grammar?: JsonGrammar | undefined
    signal?: AbortSignal
    /** Special tokens are spelled out instead of left out. */
    showSpecial?: boolean
  },
): AsyncGenerator<Piece> {
  const { n, maxTokens, seed, stop, ...settings } = drawing
  const requests = []
  for (const { row, prompt } of prompts) {
    const tokens = await tokenizePrompt(tokenizer, prompt)
    const room = limit - tokens.length
    if (tokens.length === 0) throw new DataError(`expected a prompt of at least one token, got none in row ${row + 1}`)
    if (room < 1)
      throw new DataError(
        `expected a prompt of fewer than the model's ${limit} tokens, got ${tokens.length} in row ${row + 1}: shorten it`,
      )
    const most = Math.min(maxTokens, room)
    requests.push({
      id: String(row),
      tokens,
      n,
      maxTokens: most,
      stopTokens: tokenizer.eosIds,
      seed: completionSeed(seed, row),
      ...settings,
      ...(stop.length > 0 && { guide: () => stopGuide(tokenizer, stop) }),
      ...(grammar && { guide: jsonGuides(tokenizer, grammar, { maxTokens: most }) }),
    })
  }
  const open = new Map<string, Completion & { stream: ReturnType<typeof streamText> }>()
  for await (const { id, index, tokens, logprobs, done } of sample(requests, signal)) {
    if (done === 'cancelled') return
    const key = `${id} ${index}`
    const part = open.get(key) ?? {
      completion: '',
      finished: false,
      logprob: 0,
      tokens: 0,
      stream: streamText(tokenizer, { stops: stop, skipSpecial: !showSpecial }),
    }
    open.set(key, part)
    const text = part.stream.push(tokens) + (done ? part.stream.end() : '')
    part.completion += text
    part.tokens += tokens.length
    for (const logprob of logprobs) part.logprob += logprob
    const piece: Piece = { row: Number(id), sample: index, text }
    if (done) {
      open.delete(key)
      const { stream: _, ...completion } = part
      piece.done = { ...completion, finished: done === 'stop' }
    }
    yield piece
  }
}
