// Rows and updates that benches of training share.
import type { Engine, Model, Sequence } from '#engine'

export const UPDATE = {
  learningRate: 1e-5,
  clipNorm: 1,
  betas: [0.9, 0.95] as [number, number],
  epsilon: 1e-8,
  weightDecay: 0.01,
}
export const PASS = { temperature: 1, seed: 0 }

/** Sequences of `length` tokens, of which the last `scored` are trained. */
export function makeSequences(count: number, o: { length: number; scored: number; vocabulary: number }): Sequence[] {
  return Array.from({ length: count }, (_, i) => ({
    tokens: Int32Array.from({ length: o.length }, (__, t) => (i * 131 + t * t * 7 + t * 29) % o.vocabulary),
    isScored: Uint8Array.from({ length: o.length }, (__, t) => Number(t >= o.length - o.scored)),
  }))
}

/** One update on the sum of log-probabilities of what is scored. */
export async function trainStep(engine: Engine, model: Model, sequences: Sequence[]): Promise<void> {
  const scored = sequences.map(({ isScored }) => isScored.reduce((a, b) => a + b, 0))
  const total = scored.reduce((a, b) => a + b, 0)
  const coefficients = scored.map((n) => [{ logprobs_S: new Float32Array(n).fill(1 / total) }])
  const groups = sequences.map((s) => [s])
  await engine.forwardBackward(model, groups, ['logprobs'], { coefficients }, PASS)
  await engine.step(model, { body: UPDATE })
}

/** Seconds of `work` by the wall clock, best of `rounds`. */
export async function bestSeconds(rounds: number, work: () => unknown): Promise<number> {
  let best = Infinity
  for (let i = 0; i < rounds; i++) {
    const start = performance.now()
    await work()
    best = Math.min(best, (performance.now() - start) / 1000)
  }
  return best
}
