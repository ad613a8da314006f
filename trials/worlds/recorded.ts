// An engine that writes down what a recipe trains on and what it draws, for a script elsewhere to compute the same; and
// one that gives such drawings again, since another machine's last bit may draw another token.
import type { Engine, Sequence } from '#engine'

/** One completion as it was drawn; `logprobs` are the sampler's own. */
export type Drawn = { prompt: number[]; completion: number[]; logprobs: number[] }

export type Recorded = {
  /** Groups of each forwardBackward. */
  passes: Sequence[][][]
  /** Completions of each sampling, in the order of their requests. */
  drawings: Drawn[][]
}

export function recording(engine: Engine, { passes, drawings }: Recorded): Engine {
  return {
    ...engine,
    forwardBackward(model, groups, want, loss, o) {
      passes.push(groups)
      return engine.forwardBackward(model, groups, want, loss, o)
    },
    async *sample(model, requests, o) {
      const known = []
      const drawn = new Map<string, Drawn>()
      for await (const request of requests) {
        known.push(request)
        for (let index = 0; index < request.n; index++)
          drawn.set(`${request.id} ${index}`, { prompt: [...request.tokens], completion: [], logprobs: [] })
      }
      for await (const event of engine.sample(model, known, o)) {
        const { completion, logprobs } = drawn.get(`${event.id} ${event.index}`)!
        completion.push(...event.tokens)
        logprobs.push(...event.logprobs)
        yield event
      }
      drawings.push([...drawn.values()])
    },
  }
}

export function replaying(engine: Engine, drawings: Drawn[][]): Engine {
  const samplings = drawings.values()
  return {
    ...engine,
    async *sample(_, requests) {
      const drawn = (samplings.next().value ?? []).values()
      for await (const { id, n, tokens, stopTokens } of requests)
        for (let index = 0; index < n; index++) {
          const { value } = drawn.next()
          if (value?.prompt.join() !== tokens.join())
            throw new Error('the drawings are of other prompts: run scripts/goldens/trace-inputs.ts again')
          yield {
            id,
            index,
            tokens: Int32Array.from(value.completion),
            logprobs: Float32Array.from(value.logprobs),
            step: 0,
            done: stopTokens.includes(value.completion.at(-1)!) ? 'stop' : 'length',
          }
        }
    },
  }
}
