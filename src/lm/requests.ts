// The queue in front of sampling: pulls requests in order from any iterable, checks them, and hands out as many as fit.
// A source that answers at once is read ahead as if it were a list; one that makes us wait is waited for only when there
// is nothing else to do.
import { setImmediate as macrotask } from 'node:timers/promises'
import { EngineError } from '#errors'
import type { SampleRequest } from '#engine/contract'
import { describeModel, type LanguageModel } from './model.ts'
import { mostTokens } from './rope.ts'

/** Samples `from` to `to` of a request: all of them, unless there are more than rows. */
export type Admission = { request: SampleRequest; from: number; to: number }

export type Requests = {
  /** Admissions for at most `free` rows, in order; empty when none is ready (mayWait: when the source has ended). */
  take(free: number, o: { mayWait: boolean }): Promise<Admission[]>
  /** Pulled, but not yet handed out. */
  waiting(): Admission[]
  close(): Promise<void>
}

export function openRequests(
  requests: AsyncIterable<SampleRequest> | Iterable<SampleRequest>,
  o: { model: LanguageModel; maxRows: number; signal: AbortSignal | undefined },
): Requests {
  const iterator = Symbol.asyncIterator in requests ? requests[Symbol.asyncIterator]() : requests[Symbol.iterator]()
  let queue: Admission[] = []
  let pending: Promise<IteratorResult<SampleRequest>> | undefined
  let hasEnded = false
  let onAbort = (): void => {}
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => resolve(undefined)
  })
  o.signal?.addEventListener('abort', onAbort, { once: true })

  /** Pulls one request into the queue; false when none came. */
  async function pull(mayWait: boolean): Promise<boolean> {
    if (hasEnded) return false
    pending ??= Promise.resolve(iterator.next())
    const result = await Promise.race([pending, aborted, ...(mayWait ? [] : [macrotask(undefined)])])
    if (result === undefined) return false
    pending = undefined
    if (result.done) {
      hasEnded = true
      return false
    }
    checkRequest(result.value, o.model)
    for (let from = 0; from < result.value.n; from += o.maxRows)
      queue.push({ request: result.value, from, to: Math.min(from + o.maxRows, result.value.n) })
    return true
  }

  return {
    async take(free, { mayWait }) {
      const taken: Admission[] = []
      let rows = 0
      let tokens = 0
      for (;;) {
        if (queue.length === 0 && !(await pull(mayWait && taken.length === 0))) break
        const next = queue[0]!
        rows += next.to - next.from
        tokens += next.request.tokens.length
        if (rows > free || (taken.length > 0 && tokens > o.model.budget)) break
        taken.push(queue.shift()!)
      }
      return taken
    },
    waiting: () => queue,
    async close() {
      queue = []
      o.signal?.removeEventListener('abort', onAbort)
      if (hasEnded) return
      const closing = Promise.resolve(iterator.return?.())
      // A source that is still making us wait would make us wait for its end as well.
      if (pending) for (const left of [pending, closing]) left.catch(() => {})
      else await closing
    },
  }
}

function checkRequest(request: SampleRequest, model: LanguageModel): void {
  const { id, tokens, n, temperature, topP = 1, topK = 0, maxTokens, seed } = request
  const { minP = 0, repetitionPenalty = 1, topLogprobs = 0 } = request
  const expect = (holds: boolean, what: string): void => {
    if (!holds) throw new EngineError(`${describeModel(model)}: sample request ${id}: expected ${what}`)
  }
  const { vocabSize } = model.config
  const most = mostTokens(model.config)
  expect(tokens.length > 0, 'at least one prompt token, got none')
  for (const t of tokens) expect(t >= 0 && t < vocabSize, `tokens below the vocabulary of ${vocabSize}, got ${t}`)
  expect(Number.isInteger(n) && n > 0, `n of at least 1, got ${n}`)
  expect(temperature >= 0, `a temperature of at least 0, got ${temperature}`)
  expect(topP > 0 && topP <= 1, `topP above 0 and at most 1, got ${topP}`)
  expect(Number.isInteger(topK) && topK >= 0, `topK to be a whole number, 0 for all, got ${topK}`)
  expect(minP >= 0 && minP < 1, `minP of at least 0 and below 1, got ${minP}`)
  expect(
    repetitionPenalty > 0 && Number.isFinite(repetitionPenalty),
    `a repetitionPenalty above 0, got ${repetitionPenalty}`,
  )
  expect(
    Number.isInteger(topLogprobs) && topLogprobs >= 0 && topLogprobs <= vocabSize,
    `topLogprobs from 0 to ${vocabSize}, got ${topLogprobs}`,
  )
  expect(Number.isInteger(maxTokens) && maxTokens > 0, `maxTokens of at least 1, got ${maxTokens}`)
  expect(Number.isSafeInteger(seed) && seed >= 0, `a seed that is a safe integer of at least 0, got ${seed}`)
  expect(
    tokens.length + maxTokens <= most,
    `prompt and maxTokens to fit ${most} positions, got ${tokens.length} + ${maxTokens}`,
  )
}
