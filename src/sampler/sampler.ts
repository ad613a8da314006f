// One stream of samples for many callers: their requests join it while it runs, each gets its own events, and one that
// leaves takes its samples with it. A stream lasts as long as anybody is being answered, so its cache is freed when the
// house is empty; if it fails, all who wait are told, and the next request begins a new one.
import type { Engine, Model, SampleEvent, SampleRequest } from '#engine/contract'

export type Sampler = {
  /** Events of this request alone, as they come. Aborting ends its samples within a step; then the iteration ends too. */
  sample(request: Omit<SampleRequest, 'id' | 'signal'>, signal: AbortSignal): AsyncIterable<SampleEvent>
  /** Samples that the engine still holds, or has yet to begin. */
  open(): number
  /** Resolves when nobody is being answered and the model is free. */
  idle(): Promise<void>
}

type Caller = {
  request: SampleRequest
  left: number
  events: SampleEvent[]
  failure?: unknown
  wake: () => void
}

export function openSampler(engine: Engine, model: Model): Sampler {
  const callers = new Map<string, Caller>()
  const waiting: Caller[] = []
  let running: Promise<void> | undefined
  let count = 0
  let wakeFeed = (): void => {}

  async function* feed(): AsyncGenerator<SampleRequest> {
    for (;;) {
      for (let next = waiting.shift(); next; next = waiting.shift()) yield next.request
      if (callers.size === 0) return
      await new Promise<void>((resolve) => (wakeFeed = resolve))
    }
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      try {
        for await (const event of engine.sample(model, feed())) deliver(event)
      } catch (failure) {
        waiting.length = 0
        for (const caller of callers.values()) {
          caller.failure = failure
          caller.wake()
        }
        callers.clear()
      }
    }
  }

  function start(): void {
    running ??= run().finally(() => {
      running = undefined
      if (waiting.length > 0) start()
    })
  }

  function deliver(event: SampleEvent): void {
    const caller = callers.get(event.id)!
    caller.events.push(event)
    if (event.done && --caller.left === 0) {
      callers.delete(event.id)
      if (callers.size === 0) wakeFeed()
    }
    caller.wake()
  }

  return {
    async *sample(request, signal) {
      const id = String(count++)
      const caller: Caller = {
        request: { ...request, id, signal },
        left: request.n,
        events: [],
        wake: () => {},
      }
      callers.set(id, caller)
      waiting.push(caller)
      wakeFeed()
      start()
      for (;;) {
        const events = caller.events.splice(0)
        yield* events
        if (events.length > 0) continue
        if (caller.failure !== undefined) throw caller.failure
        if (caller.left === 0) return
        await new Promise<void>((resolve) => (caller.wake = resolve))
      }
    },
    async idle() {
      for (let last = running; last; last = running) await last
    },
    open: () => [...callers.values()].reduce((sum, { left }) => sum + left, 0),
  }
}
