// From a request that was checked to its answer: samples from the shared stream, gathered whole or sent as server-sent
// events. Events are made when the client takes them, of all that came since: a slow reader costs its text and no more.
import { randomUUID } from 'node:crypto'
import type { Guide } from '#engine/contract'
import type { Tokenizer } from '#text'
import { type Choice, openChoice, type Piece } from '../choices.ts'
import type { Sampler } from '../sampler.ts'
import { chunks, type Head, type Kind, toldAs, type Usage, usageChunk, wholeBody } from './answers.ts'
import { apiErrorOf, errorBody } from './errors.ts'
import type { Asked } from './requests.ts'

export type Job = {
  kind: Kind
  asked: Asked
  tokenizer: Tokenizer
  sampler: Sampler
  name: string
  /** One a prompt; choices of prompt p are p * n and following. */
  requests: { tokens: Int32Array; maxTokens: number; seed: number; guide?: () => Guide }[]
}

export async function answerWhole(job: Job, signal: AbortSignal): Promise<Response> {
  const drawing = draw(job, signal)
  await drawing.ended
  const pieces = drawing.choices.map((choice) => choice.take()!)
  const told = toldOf(job)
  return Response.json(wholeBody(job.kind, headOf(job), { pieces, usage: usageOf(job, pieces), told }))
}

export function streamAnswer(job: Job, signal: AbortSignal): Response {
  const { kind, asked } = job
  const left = new AbortController()
  const drawing = draw(job, AbortSignal.any([signal, left.signal]))
  const head = headOf(job)
  const told = toldOf(job)
  const counts: Pick<Piece, 'tokens'>[] = []
  const begun = new Set<number>()
  const utf8 = new TextEncoder()
  /** Events of all that is new, at least one; the last time, what ends the stream. */
  async function next(): Promise<{ events: object[]; isEnd: boolean }> {
    for (;;) {
      const isEnd = await drawing.news()
      const events: object[] = []
      for (const [index, choice] of drawing.choices.entries()) {
        const piece = choice.take()
        if (!piece) continue
        counts.push(piece)
        const isFirst = !begun.has(index)
        begun.add(index)
        events.push(...chunks(kind, head, { index, piece, isFirst, told, withUsage: asked.withUsage }))
      }
      if (isEnd || events.length > 0) return { events, isEnd }
    }
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { events, isEnd } = await next()
      const send = (data: string): void => controller.enqueue(utf8.encode(`data: ${data}\n\n`))
      for (const event of events) send(JSON.stringify(event))
      if (!isEnd) return
      try {
        await drawing.ended
        if (asked.withUsage) send(JSON.stringify(usageChunk(kind, head, usageOf(job, counts))))
        send('[DONE]')
      } catch (error) {
        send(JSON.stringify(errorBody(apiErrorOf(error))))
      }
      controller.close()
    },
    cancel: () => left.abort(),
  })
  return new Response(body, {
    headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' },
  })
}

type Drawing = {
  choices: Choice[]
  /** Settles when all choices are whole. */
  ended: Promise<void>
  /** Waits for something that `take` has not given yet; true when there will be no more. */
  news(): Promise<boolean>
}

function draw({ asked, requests, tokenizer, sampler }: Job, signal: AbortSignal): Drawing {
  const { n, stops, temperature, topP, topK, minP, repetitionPenalty, topLogprobs } = asked
  const choices = Array.from({ length: requests.length * n }, () => openChoice(tokenizer, { stops }))
  const state = { isNew: false, isEnded: false, wake: (): void => {} }
  const tell = (): void => {
    state.isNew = true
    state.wake()
  }
  const drawn = requests.map(async (request, p) => {
    const events = sampler.sample(
      {
        ...request,
        n,
        temperature,
        stopTokens: tokenizer.eosIds,
        ...(topP !== undefined && { topP }),
        ...(topK !== undefined && { topK }),
        ...(minP !== undefined && { minP }),
        ...(repetitionPenalty !== undefined && { repetitionPenalty }),
        ...(topLogprobs !== undefined && { topLogprobs }),
      },
      signal,
    )
    for await (const event of events) {
      choices[p * n + event.index]!.push(event)
      tell()
    }
  })
  const ended = Promise.all(drawn).then(() => undefined)
  const settled = (): void => {
    state.isEnded = true
    tell()
  }
  ended.then(settled, settled)
  return {
    choices,
    ended,
    async news() {
      while (!state.isNew) await new Promise<void>((resolve) => (state.wake = resolve))
      state.isNew = false
      return state.isEnded
    },
  }
}

function headOf({ kind, name }: Job): Head {
  const id = `${kind === 'chat' ? 'chatcmpl' : 'cmpl'}-${randomUUID()}`
  return { id, created: Math.floor(Date.now() / 1000), model: name }
}

function toldOf({ asked, kind, tokenizer }: Job) {
  return asked.topLogprobs === undefined ? undefined : toldAs(kind, tokenizer)
}

function usageOf({ requests }: Job, pieces: Pick<Piece, 'tokens'>[]): Usage {
  const prompt = requests.reduce((sum, { tokens }) => sum + tokens.length, 0)
  const completion = pieces.reduce((sum, { tokens }) => sum + tokens, 0)
  return { prompt_tokens: prompt, completion_tokens: completion, total_tokens: prompt + completion }
}
