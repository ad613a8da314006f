// The tabular engine against finite differences, against enumeration, and against its own contract.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type {
  GroupLoss,
  Model,
  Output,
  Outputs,
  SampleEvent,
  SampleRequest,
  Sequence,
  UpdateGroup,
} from '../contract.ts'
import { tabularEngine } from './engine.ts'
import { completionLogprobs, enumerateCompletions, exactKl, exactObjective, exactOptimum } from './exact.ts'
import { writeTabularWeights } from './files.ts'

const VOCAB = 4
const LOGITS = {
  '1': [0.3, -0.2, 0.9, 0.1],
  '1 2': [1.1, 0.4, -0.5, 0],
  '1 2 3': [0, 0.2, 0.1, -0.7],
  '2': [0, 1, 2, 3],
}
const HEADS = {
  value: { hidden: [], detached: true, init: 'zero' as const },
  scores: { names: ['good', 'safe'], read: 'last' as const },
}
const adam = (learningRate: number): UpdateGroup => ({
  learningRate,
  clipNorm: 1e9,
  betas: [0.9, 0.95],
  epsilon: 1e-8,
  weightDecay: 0,
})
const sequence: Sequence = { tokens: Int32Array.of(1, 2, 3, 0), isScored: Uint8Array.of(0, 1, 1, 1) }
const pass = { temperature: 0.8, seed: 0 }
const ALL: Output[] = ['logprobs', 'entropies', 'values', 'scores']

let folder: string
const engine = tabularEngine({ vocab: VOCAB })
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hone-tabular-'))
  await writeTabularWeights(join(folder, 'base'), { vocab: VOCAB, logits: LOGITS })
})
afterEach(() => rm(folder, { recursive: true }))

const load = (spec: Partial<Parameters<typeof engine.load>[0]> = {}) =>
  engine.load({ from: { weights: join(folder, 'base') }, trains: 'all', heads: HEADS, ...spec })
const forward = async (model: Model, s = sequence) => (await engine.forward(model, [[s]], ALL, pass))[0]![0]!

/** A loss whose gradient is fixed numbers: the sum of coefficient times output. */
function linear(c: Outputs): GroupLoss {
  return ([out]) => {
    let loss = 0
    for (const key of ['logprobs_S', 'entropies_S', 'values_S', 'scores_PH'] as const)
      c[key]?.forEach((x, i) => (loss += x * out![key]![i]!))
    return { loss, stats: { one: 1 }, gradient: [c] }
  }
}
const coefficients: Outputs = {
  logprobs_S: Float64Array.of(0.5, -1, 2),
  entropies_S: Float64Array.of(1, 0.3, -0.7),
  values_S: Float64Array.of(1, 2, -1),
  scores_PH: Float64Array.of(0.4, -0.6),
}

/** A model's whole content as JSON. */
async function contentOf(model: Model, name: string) {
  const saved = await engine.save(model, 'resume', join(folder, name))
  return JSON.parse(await readFile(join(saved.folder, 'tabular.json'), 'utf8')) as {
    policy: Record<string, number[]>
    values: Record<string, number[]>
    scores: { rows: Record<string, number[]> }
    moments: {
      policy: { first: Record<string, number[]> }
      values: { first: Record<string, number[]> }
      scores: { first: Record<string, number[]> }
    }
  }
}

describe('gradients', () => {
  test('of all outputs equal finite differences of the parameters', async () => {
    const model = await load()
    await engine.setAffine(model, [
      { mean: 0.5, scale: 2 },
      { mean: 0, scale: 4 },
    ])
    const loss = linear(coefficients)
    await engine.forwardBackward(model, [[sequence]], ALL, loss, pass)
    // With zero learning rate and beta1 = 0 the first moment is the gradient.
    const still: UpdateGroup = { ...adam(0), betas: [0, 0] }
    await engine.step(model, { body: still, heads: still })
    const { moments, policy } = await contentOf(model, 'gradient')
    let checked = 0
    for (const [state, logits] of Object.entries(policy))
      for (let v = 0; v < VOCAB; v++) {
        const at = async (h: number) => {
          const name = `moved-${state.replaceAll(' ', '_')}-${v}-${h}`
          await writeTabularWeights(join(folder, name), {
            vocab: VOCAB,
            logits: { ...policy, [state]: logits.map((x, i) => (i === v ? x + h : x)) },
          })
          const moved = await load({ from: { weights: join(folder, name) } })
          return loss([await forward(moved)], 0).loss
        }
        const difference = ((await at(1e-5)) - (await at(-1e-5))) / 2e-5
        expect(moments.policy.first[state]?.[v] ?? 0).toBeCloseTo(difference, 8)
        checked++
      }
    expect(checked).toBe(16)
    expect(moments.values.first).toEqual({ '1': [1], '1 2': [2], '1 2 3': [-1] })
    expect(moments.scores.first).toEqual({ '1 2 3 0': [0.2, -0.15] })
  })

  test('coefficients are minus the gradient of the loss they define', async () => {
    const [a, b] = [await load(), await load()]
    const asLoss = await engine.forwardBackward(a, [[sequence]], ALL, linear(coefficients), pass)
    const minus = Object.fromEntries(
      Object.entries(coefficients).map(([k, v]) => [k, (v as Float64Array).map((x) => -x)]),
    )
    const asCoefficients = await engine.forwardBackward(b, [[sequence]], ALL, { coefficients: [[minus]] }, pass)
    expect(asCoefficients.loss).toBeCloseTo(asLoss.loss, 14)
    expect(asLoss).toMatchObject({ groups: 1, tokens: 3, stats: { one: 1 } })
    for (const model of [a, b]) await engine.step(model, { body: adam(0.1), heads: adam(0.1) })
    expect(await forward(a)).toEqual(await forward(b))
  })

  test('a sum head adds over scored tokens, a sixteenth each', async () => {
    const model = await load({ heads: { scores: { names: ['good'], read: 'sum' } } })
    await engine.forwardBackward(
      model,
      [[sequence]],
      ['scores'],
      ([out]) => ({ loss: -out!.scores_PH![0]!, stats: {}, gradient: [{ scores_PH: Float64Array.of(-1) }] }),
      pass,
    )
    await engine.step(model, { heads: adam(1) })
    const [[out]] = (await engine.forward(model, [[sequence]], ['scores'], pass)) as [[Outputs]]
    expect(out.scores_PH![0]).toBeCloseTo(3 / 16, 6)
  })

  test('a non-finite gradient is an error, a wrong length too', async () => {
    const model = await load()
    for (const bad of [Float64Array.of(NaN, 0, 0), Float64Array.of(0, 0)])
      await expect(
        engine.forwardBackward(
          model,
          [[sequence]],
          ['logprobs'],
          () => ({ loss: 0, stats: {}, gradient: [{ logprobs_S: bad }] }),
          pass,
        ),
      ).rejects.toThrow(/gradient/)
  })
})

describe('steps', () => {
  test('clip by the norm of the group, leave an absent group and its moments alone, and clear gradients', async () => {
    const model = await load()
    await engine.forwardBackward(model, [[sequence]], ALL, linear(coefficients), pass)
    const before = await forward(model)
    const stats = await engine.step(model, { heads: { ...adam(0.1), clipNorm: 0.001 } })
    expect(stats).toMatchObject({ skipped: false, step: 1 })
    expect(stats.headsNorm).toBeCloseTo(Math.sqrt(1 + 4 + 1 + 0.4 ** 2 + 0.6 ** 2), 12)
    expect(stats.bodyNorm).toBeUndefined()
    const after = await forward(model)
    expect(after.logprobs_S).toEqual(before.logprobs_S)
    expect(after.values_S).not.toEqual(before.values_S)
    expect((await contentOf(model, 'heads-only')).moments.policy.first).toEqual({})
    const none = await engine.step(model, { body: adam(0.1) })
    expect(none.bodyNorm).toBe(0)
  })

  test('decay spares heads and reaches every row of the body, touched or not', async () => {
    const model = await load()
    await engine.forwardBackward(model, [[sequence]], ['values'], linear({ values_S: Float64Array.of(1, 1, 1) }), pass)
    await engine.step(model, { heads: adam(0.1) })
    const before = await contentOf(model, 'undecayed')
    await engine.step(model, { body: { ...adam(0.1), weightDecay: 0.5 }, heads: { ...adam(0), weightDecay: 0.5 } })
    const after = await contentOf(model, 'decayed')
    expect(after.values).toEqual(before.values)
    for (const [state, logits] of Object.entries(before.policy))
      expect(after.policy[state]).toEqual(logits.map((x) => expect.closeTo(0.95 * x, 12)))
  })

  test('discard drops what was summed', async () => {
    const model = await load()
    await engine.forwardBackward(model, [[sequence]], ALL, linear(coefficients), pass)
    await engine.discard(model)
    expect((await engine.step(model, { body: adam(0.1) })).bodyNorm).toBe(0)
  })
})

describe('sampling', () => {
  const request: SampleRequest = {
    id: 'r',
    tokens: Int32Array.of(1),
    n: 4000,
    temperature: 0.8,
    maxTokens: 2,
    stopTokens: [0],
    seed: 11,
  }
  const all = async (model: Model, r = request) => {
    const events: SampleEvent[] = []
    for await (const event of engine.sample(model, [r])) events.push(event)
    return events
  }

  test('frequencies are the probabilities; log-probabilities are those of forward', async () => {
    const model = await load()
    const completions = enumerateCompletions({ vocab: VOCAB, stopToken: 0, maxTokens: 2 })
    const logprobs = await completionLogprobs(engine, model, { prompt: request.tokens, completions, temperature: 0.8 })
    const events = await all(model)
    completions.forEach((completion, c) => {
      const drawn = events.filter((e) => String(e.tokens) === String(completion))
      const p = Math.exp(logprobs[c]!)
      expect(Math.abs(drawn.length / request.n - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / request.n))
      for (const e of drawn) {
        expect([...e.logprobs].reduce((a, b) => a + b, 0)).toBeCloseTo(logprobs[c]!, 12)
        expect(e.done).toBe(completion.at(-1) === 0 ? 'stop' : 'length')
      }
    })
  })

  test('draws depend on the seed and the index alone', async () => {
    const model = await load()
    const [few, many, other] = [
      await all(model, { ...request, n: 5 }),
      await all(model, { ...request, n: 50 }),
      await all(model, { ...request, n: 50, seed: 12 }),
    ]
    expect(many.slice(0, 5)).toEqual(few)
    expect(other).not.toEqual(many)
  })

  test('step while a stream is open is refused, and allowed after it is closed', async () => {
    const model = await load()
    const stream = engine.sample(model, [request])[Symbol.asyncIterator]()
    await stream.next()
    await expect(engine.step(model, { body: adam(0.1) })).rejects.toThrow(/sampling/)
    await stream.return?.()
    await expect(engine.step(model, { body: adam(0.1) })).resolves.toMatchObject({ skipped: false })
  })

  test.each([
    { topP: 0.9 },
    { minP: 0.1 },
    { repetitionPenalty: 1.1 },
    { topLogprobs: 1 },
  ])('what narrows draws is refused by name: %o', async (narrowing) => {
    const model = await load()
    await expect(all(model, { ...request, ...narrowing })).rejects.toThrow(Object.keys(narrowing)[0]!)
  })

  test('a request is cancelled by its own signal', async () => {
    const model = await load()
    const controller = new AbortController()
    const other = { ...request, id: 'other', n: 2 }
    const ends: string[] = []
    for await (const { id, done } of engine.sample(model, [{ ...request, n: 3, signal: controller.signal }, other])) {
      ends.push(`${id} ${done === 'cancelled'}`)
      controller.abort()
    }
    expect(ends).toEqual(['r false', 'r true', 'r true', 'other false', 'other false'])
  })
})

describe('files', () => {
  test('a resumed model continues bit for bit, moments and heads included', async () => {
    const train = async (model: Model) => {
      await engine.forwardBackward(model, [[sequence]], ALL, linear(coefficients), pass)
      await engine.step(model, { body: { ...adam(0.1), weightDecay: 0.1 }, heads: adam(0.1) })
    }
    const straight = await load()
    await train(straight)
    await engine.setAffine(straight, [
      { mean: 1, scale: 3 },
      { mean: 0, scale: 1 },
    ])
    const saved = await engine.save(straight, 'resume', join(folder, 'saved'))
    await train(straight)
    const resumed = await engine.load({ from: { resume: saved }, trains: 'all' })
    await train(resumed)
    expect(await contentOf(resumed, 'resumed')).toEqual(await contentOf(straight, 'straight'))
  })

  test('a changed file, an occupied folder, another vocabulary, and no model are told apart', async () => {
    const model = await load()
    const saved = await engine.save(model, 'weights', join(folder, 'saved'))
    await expect(engine.save(model, 'weights', join(folder, 'saved'))).rejects.toThrow(/without tabular.json/)
    await writeFile(join(folder, 'saved', 'tabular.json'), '{}')
    await expect(engine.load({ from: { resume: saved }, trains: 'all' })).rejects.toThrow(/changed/)
    await expect(load({ from: { weights: join(folder, 'saved') } })).rejects.toThrow(/not a tabular model/)
    await expect(load({ from: { weights: join(folder, 'nowhere') } })).rejects.toThrow(/no tabular model/)
    await writeTabularWeights(join(folder, 'wide'), { vocab: 9 })
    await expect(load({ from: { weights: join(folder, 'wide') } })).rejects.toThrow(/9 tokens/)
  })

  test('a released model, a frozen one and one of another engine are refused', async () => {
    const model = await load()
    await engine.release(model)
    await expect(forward(model)).rejects.toThrow(/not held/)
    const frozen = await load({ trains: 'nothing' })
    await expect(engine.step(frozen, { body: adam(1) })).rejects.toThrow(/nothing/)
    await expect(tabularEngine({ vocab: VOCAB }).embed(frozen, [sequence])).rejects.toThrow(/not held/)
  })
})

test('enumeration: probabilities sum to 1, and the optimum beats every other policy by beta times its KL', async () => {
  const model = await load()
  const completions = enumerateCompletions({ vocab: VOCAB, stopToken: 0, maxTokens: 3 })
  expect(completions).toHaveLength(1 + 3 + 9 * 4)
  const reference_C = await completionLogprobs(engine, model, { prompt: Int32Array.of(1), completions })
  expect(reference_C.reduce((sum, l) => sum + Math.exp(l), 0)).toBeCloseTo(1, 12)
  const setting = {
    reference_C,
    rewards_C: Float64Array.from(completions, (c) => Math.sin(c.reduce((a, b) => 3 * a + b, 1))),
    beta: 0.3,
  }
  const { logprobs_C, objective } = exactOptimum(setting)
  expect(exactObjective(logprobs_C, setting)).toBeCloseTo(objective, 12)
  // J* - J(pi) = beta KL(pi || pi*), exactly.
  expect(objective - exactObjective(reference_C, setting)).toBeCloseTo(0.3 * exactKl(reference_C, logprobs_C), 12)
})

test('embed: the share of each token', async () => {
  const [shares] = await engine.embed(await load(), [
    { tokens: Int32Array.of(1, 1, 3, 0), isScored: new Uint8Array(4) },
  ])
  expect(shares).toEqual(Float64Array.of(0.25, 0.5, 0, 0.25))
})
