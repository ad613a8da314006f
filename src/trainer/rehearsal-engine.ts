// An engine for rehearsals: it works in earnest while that is measured, then only counts and answers with made-up numbers,
// so that a recipe walks through its whole schedule in a moment. Between the two nothing tells the recipe apart.
import type { Engine, Loss, Model, Output, Outputs, PassOptions, Sequence, Sums } from '#engine/contract'
import { largestBatch } from '#lm'

/** `tokens` of whole sequences, prompts included. */
export type Work = { calls: number; tokens: number; seconds: number }
export type Works = { read: Work; learn: Work; step: Work }

type Call = { model: Model; groups: Sequence[][]; want: Output[]; loss: Loss; o: PassOptions; tokens: number }

export type RehearsalEngine = {
  engine: Engine
  /** What was asked for so far, in earnest or not. */
  asked: Works
  /** What was done in earnest and timed. */
  timed: Works
  /** Seconds of training passes and steps in earnest, by model. */
  learning: Map<Model, number>
  /** From now on training passes and steps are only counted, and samples made up. */
  count: () => void
  /** Does the training pass with the largest micro-batch in earnest, where none so large was: what memory peaks at. */
  heaviest: () => Promise<void>
}

/** Reading is done in earnest for about so long; its speed is then known. */
const READ_SECONDS = 3
/** Tokens of a slice of a read, so that it can be cut short. */
const SLICE = 8192

/** `isWhole`: reads are never cut short, since what is learnt hangs on them. */
export function rehearsalEngine(engine: Engine, { isWhole }: { isWhole: boolean }): RehearsalEngine {
  const none = (): Works => ({
    read: { calls: 0, tokens: 0, seconds: 0 },
    learn: { calls: 0, tokens: 0, seconds: 0 },
    step: { calls: 0, tokens: 0, seconds: 0 },
  })
  const [asked, timed] = [none(), none()]
  const learning = new Map<Model, number>()
  let isEarnest = true
  let largestDone = 0
  let largest: Call | undefined

  async function time<T>(kind: keyof Works, tokens: number, work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const answer = await work()
    const seconds = (performance.now() - began) / 1000
    timed[kind].calls++
    timed[kind].tokens += tokens
    timed[kind].seconds += seconds
    return answer
  }
  async function learn<T>(model: Model, work: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const answer = await work()
    learning.set(model, (learning.get(model) ?? 0) + (performance.now() - began) / 1000)
    return answer
  }

  return {
    asked,
    timed,
    learning,
    count: () => {
      isEarnest = false
    },
    async heaviest() {
      if (!largest || largest.tokens <= largestDone) return
      const { model, groups, want, loss, o } = largest
      await engine.forwardBackward(model, groups, want, loss, o)
      await engine.discard(model)
    },
    engine: {
      ...engine,
      async forward(model, groups, want, o) {
        const tokens = tokensOf(groups)
        asked.read.calls++
        asked.read.tokens += tokens
        if (isWhole) return time('read', tokens, () => engine.forward(model, groups, want, o))
        const answers: Outputs[][] = []
        for (const slice of slicesOf(groups))
          answers.push(
            ...(timed.read.seconds < READ_SECONDS
              ? await time('read', tokensOf(slice), () => engine.forward(model, slice, want, o))
              : slice.map((group) => group.map((sequence, i) => madeUp(sequence, want, i)))),
          )
        return answers
      },
      async forwardBackward(model, groups, want, loss, o) {
        const tokens = tokensOf(groups)
        asked.learn.calls++
        asked.learn.tokens += tokens
        const batch = largestBatch(model, groups)
        if (isEarnest) {
          largestDone = Math.max(largestDone, batch)
          return learn(model, () => time('learn', tokens, () => engine.forwardBackward(model, groups, want, loss, o)))
        }
        if (batch > (largest?.tokens ?? 0)) largest = { model, groups, want, loss, o, tokens: batch }
        const losses_G = new Float64Array(groups.length)
        return { loss: 0, losses_G, groups: groups.length, tokens: scoredOf(groups), stats: {} } satisfies Sums
      },
      async *sample(model, requests, o) {
        if (isEarnest || isWhole) return yield* engine.sample(model, requests, o)
        for await (const { id, n, stopTokens } of requests)
          for (let index = 0; index < n; index++) {
            const tokens = Int32Array.from(stopTokens.slice(0, 1))
            yield { id, index, tokens, logprobs: new Float32Array(tokens.length), step: 0, done: 'stop' }
          }
      },
      async step(model, o) {
        asked.step.calls++
        if (isEarnest) return learn(model, () => time('step', 0, () => engine.step(model, o)))
        return { bodyNorm: 0, headsNorm: 0, skipped: false, step: 0 }
      },
    },
  }
}

function* slicesOf(groups: Sequence[][]): Generator<Sequence[][]> {
  let open: Sequence[][] = []
  for (const group of groups) {
    open.push(group)
    if (tokensOf(open) < SLICE) continue
    yield open
    open = []
  }
  if (open.length > 0) yield open
}

/** Numbers of the right shapes; scores differ, since a recipe refuses to scale what does not. */
function madeUp(sequence: Sequence, want: Output[], index: number): Outputs {
  const S = scoredOf([[sequence]])
  const out: Outputs = {}
  if (want.includes('logprobs')) out.logprobs_S = new Float32Array(S).fill(-1)
  if (want.includes('entropies')) out.entropies_S = new Float32Array(S).fill(1)
  if (want.includes('values')) Object.assign(out, { values_S: new Float32Array(S), valueAfter: 0 })
  if (want.includes('scores')) out.scores_PH = new Float32Array(sequence.scoreAt?.length ?? 1).fill(index + S)
  return out
}

function tokensOf(groups: Sequence[][]): number {
  return groups.reduce((sum, group) => group.reduce((n, { tokens }) => n + tokens.length, sum), 0)
}

function scoredOf(groups: Sequence[][]): number {
  return groups.reduce((sum, group) => group.reduce((n, { isScored }) => isScored.reduce((a, b) => a + b, n), sum), 0)
}
