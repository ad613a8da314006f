// The engine against transformers (goldens by scripts/goldens/llama.py), against finite differences, and against itself.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { GroupLoss, HeadSpec, Model, Output, Outputs, Sequence } from '#engine/contract'
import { copy_, fromArray, liveTensors, noGrad, scope, toFloat32 } from '#torch'
import { createEmbeddedEngine } from './embedded.ts'
import type { LanguageModel } from './model.ts'
import { normals } from './seeded.ts'

const GOLDENS = join(import.meta.dirname, 'goldens')
const NAMES = ['grouped-tied', 'untied-llama3', 'wide-heads']
const PASS = { temperature: 1, seed: 0 }
const engine = createEmbeddedEngine()

let before = 0
const loaded: Model[] = []
beforeEach(() => {
  before = liveTensors()
})
afterEach(async () => {
  for (const model of loaded.splice(0)) await engine.release(model)
  expect(liveTensors()).toBe(before)
})

describe.each(NAMES)('%s against transformers', (name) => {
  const golden = JSON.parse(readFileSync(join(GOLDENS, `${name}.json`), 'utf8')) as {
    tokens: number[][]
    logprobs: number[][]
    lastLogits: number[][]
    prompt: number[]
    greedy: number[]
  }

  test('log-probabilities within 1e-4', async () => {
    const model = await load(name)
    const groups = golden.tokens.map((tokens) => [scoredFrom(tokens, 1)])
    const answers = await engine.forward(model, groups, ['logprobs'], PASS)
    golden.logprobs.forEach((row, i) => expect(gap(answers[i]![0]!.logprobs_S!, row)).toBeLessThan(1e-4))
  })

  test('temperature divides the logits, and entropies are of the same distribution', async () => {
    const model = await load(name)
    const logits = golden.lastLogits[0]!.map((z) => z / 1.7)
    const most = Math.max(...logits)
    const total = logits.reduce((sum, z) => sum + Math.exp(z - most), 0)
    const logprobs = logits.map((z) => z - most - Math.log(total))
    const sequence = scoredFrom([...golden.tokens[0]!, 5], golden.tokens[0]!.length)
    const [out] = (
      await engine.forward(model, [[sequence]], ['logprobs', 'entropies'], { temperature: 1.7, seed: 0 })
    ).flat()
    expect(gap(out!.logprobs_S!, [logprobs[5]!])).toBeLessThan(1e-4)
    expect(gap(out!.entropies_S!, [-logprobs.reduce((sum, l) => sum + Math.exp(l) * l, 0)])).toBeLessThan(1e-4)
  })

  test('greedy continuation', async () => {
    const model = await load(name)
    const request = { id: 'g', tokens: Int32Array.from(golden.prompt), n: 1, temperature: 0 }
    const drawn: number[] = []
    for await (const event of engine.sample(model, [{ ...request, maxTokens: 20, stopTokens: [], seed: 1 }]))
      drawn.push(...event.tokens)
    expect(drawn).toEqual(golden.greedy)
  })
})

test('packed rows answer as alone: segments do not see each other', async () => {
  const model = await load('grouped-tied')
  const sequences = randomSequences(7, { vocabulary: 61 })
  const packed = await engine.forward(model, [sequences], ['logprobs', 'entropies'], PASS)
  for (const [i, sequence] of sequences.entries()) {
    const [alone] = (await engine.forward(model, [[sequence]], ['logprobs', 'entropies'], PASS)).flat()
    expect(gap(packed[0]![i]!.logprobs_S!, alone!.logprobs_S!)).toBeLessThan(1e-5)
    expect(gap(packed[0]![i]!.entropies_S!, alone!.entropies_S!)).toBeLessThan(1e-5)
  }
})

const HEADS: HeadSpec = {
  value: { hidden: [10], detached: false, init: 'normal' },
  scores: {
    names: ['good', 'brief'],
    read: 'last',
    affine: [
      { mean: 0.3, scale: 2 },
      { mean: -1, scale: 0.5 },
    ],
  },
}
const ALL_OUTPUTS: Output[] = ['logprobs', 'entropies', 'values', 'scores']

describe('gradients', () => {
  test.each([
    ['logprobs', 'last'],
    ['entropies', 'last'],
    ['values', 'last'],
    ['scores', 'last'],
    ['scores', 'sum'],
  ] as const)('of %s (%s) agree with finite differences in every parameter', async (output, read) => {
    const heads = { ...HEADS, scores: { ...HEADS.scores!, read } }
    const model = await load('untied-llama3', 'all', heads)
    const groups = [randomSequences(3, { vocabulary: 53 }), randomSequences(2, { vocabulary: 53, seed: 9 })]
    const want: Output[] = [output]
    const loss = squares(2)
    await engine.forwardBackward(model, groups, want, loss, { ...PASS, temperature: 0.8 })
    const parameters = [...model.body, ...model.heads]
    const gradients = new Map<string, Float32Array>()
    for (const { name, tensor } of parameters) {
      const gradient = tensor.grad
      if (!gradient) continue
      gradients.set(name, toFloat32(gradient))
      gradient.free()
    }
    await engine.discard(model)
    const lossNow = async (): Promise<number> => {
      const answers = await engine.forward(model, groups, want, { ...PASS, temperature: 0.8 })
      return answers.reduce((sum, outputs, g) => sum + loss(outputs, g).loss, 0)
    }
    let tried = 0
    for (const { name, tensor } of parameters) {
      const gradient = gradients.get(name)
      if (!gradient) continue
      const norm = Math.hypot(...gradient)
      if (norm < 1e-3) continue
      const values = toFloat32(tensor)
      // As far as moves the loss by about 3e-3 of itself: above rounding, below curvature.
      const step = Math.min(0.01, (3e-3 * (await lossNow())) / norm)
      const at = async (sign: number): Promise<number> => {
        const moved = values.map((x, i) => x + (sign * step * gradient[i]!) / norm)
        write(tensor, moved)
        return lossNow()
      }
      const slope = ((await at(1)) - (await at(-1))) / (2 * step)
      write(tensor, values)
      expect(Math.abs(slope / norm - 1), `${name}: ${slope} by differences, ${norm} by backward`).toBeLessThan(0.02)
      tried++
    }
    expect(tried).toBeGreaterThanOrEqual(10)
  })

  test('sequences that share their beginning answer, and teach, as apart', async () => {
    const prompt = Array.from({ length: 24 }, (_, t) => (5 * t + 3) % 50)
    const sequences = [[7, 9, 2], [8], [8, 4, 4, 1]].map((own) => scoredFrom([...prompt, ...own], prompt.length))
    const other = scoredFrom([9, 8, 7, 6], 2)
    // Neighbours share; with a stranger between them they do not.
    const together = sequences.map((s) => [s])
    const apart = sequences.flatMap((s) => [[s], [other]])
    const heads: HeadSpec = {
      value: { hidden: [], detached: false, init: 'normal' },
      scores: { names: ['r'], read: 'sum' },
    }
    const want: Output[] = ['logprobs', 'entropies', 'values', 'scores']
    const gradientsWith = async (groups: Sequence[][], isWanted: (g: number) => boolean) => {
      const model = await load('untied-llama3', 'all', heads)
      const answers = (await engine.forward(model, groups, want, PASS)).flat().filter((_, g) => isWanted(g))
      const loss: GroupLoss = ([out], g) => ({
        loss: 0,
        stats: {},
        gradient: [
          isWanted(g)
            ? {
                logprobs_S: out!.logprobs_S!.map((_, t) => Math.cos(t)),
                values_S: out!.values_S!.map((_, t) => Math.sin(t + 1)),
                valueAfter: 0.5,
                scores_PH: Float64Array.of(0.7),
              }
            : {},
        ],
      })
      await engine.forwardBackward(model, groups, want, loss, PASS)
      const gradients = scope(() =>
        [...model.body, ...model.heads].flatMap(({ tensor }) => [...toFloat32(tensor.grad!)]),
      )
      await engine.discard(model)
      return { answers, gradients }
    }
    const shared = await gradientsWith(together, () => true)
    const alone = await gradientsWith(apart, (g) => g % 2 === 0)
    for (const name of ['logprobs_S', 'entropies_S', 'values_S', 'scores_PH'] as const)
      shared.answers.forEach((out, n) => expect(gap(out[name]!, alone.answers[n]![name]!), name).toBeLessThan(1e-5))
    expect(gap(shared.gradients, alone.gradients)).toBeLessThan(1e-4)
  })

  test('a group larger than a micro-batch, in two passes, has the gradient of one', async () => {
    const model = await load('grouped-tied', 'all')
    const groups = [randomSequences(6, { vocabulary: 61 })]
    const whole = await gradientsOf(model, groups, squares(1))
    model.budget = 40
    const cut = await gradientsOf(model, groups, squares(1))
    expect(cut.sums.loss).toBeCloseTo(whole.sums.loss, 3)
    expect(gap(cut.flat, whole.flat) / largest(whole.flat)).toBeLessThan(1e-5)
  })

  test('coefficients are the gradient with the other sign', async () => {
    const model = await load('grouped-tied', 'all')
    const groups = [randomSequences(3, { vocabulary: 61 })]
    const coefficients = groups.map((group) =>
      group.map(({ isScored }) => ({
        logprobs_S: normals(
          5,
          'c',
          isScored.reduce((a, b) => a + b, 0),
        ),
      })),
    )
    const asFunction: GroupLoss = (out, g) => ({
      loss: -out.reduce((sum, o, i) => sum + dot(o.logprobs_S!, coefficients[g]![i]!.logprobs_S), 0),
      stats: {},
      gradient: coefficients[g]!.map(({ logprobs_S }) => ({ logprobs_S: logprobs_S.map((c) => -c) })),
    })
    const one = await gradientsOf(model, groups, { coefficients })
    const other = await gradientsOf(model, groups, asFunction)
    expect(one.flat).toEqual(other.flat)
    expect(one.sums.loss).toBeCloseTo(other.sums.loss, 9)
  })

  test('a detached value head leaves the body alone', async () => {
    const heads = { value: { hidden: [8], detached: true, init: 'normal' as const } }
    const model = await load('wide-heads', 'all', heads)
    await engine.forwardBackward(model, [randomSequences(2, { vocabulary: 47 })], ['values'], squares(1), PASS)
    expect(model.body.every(({ tensor }) => tensor.grad === null)).toBe(true)
    for (const { name, tensor } of model.heads) {
      const gradient = tensor.grad
      expect(gradient, name).not.toBeNull()
      gradient!.free()
    }
  })

  test('a gradient that is not finite is refused, naming group and output, and nothing stays summed', async () => {
    const model = await load('wide-heads', 'all')
    const groups = [randomSequences(1, { vocabulary: 47 }), randomSequences(2, { vocabulary: 47 })]
    const bad: GroupLoss = (out, group) => ({
      loss: 0,
      stats: {},
      gradient: out.map((o, i) => ({ logprobs_S: o.logprobs_S!.map(() => (group === 1 && i === 1 ? 1e39 : 1)) })),
    })
    // 1e39 is finite in 64 bits, but not in the 32 that the device has.
    const wide: GroupLoss = (out, group) => {
      const result = bad(out, group)
      return { ...result, gradient: result.gradient.map((g) => ({ logprobs_S: Float64Array.from(g.logprobs_S!) })) }
    }
    await expect(engine.forwardBackward(model, groups, ['logprobs'], wide, PASS)).rejects.toThrow(
      /gradient of logprobs of sequence 1 in group 1: not finite/,
    )
    expect(model.body.every(({ tensor }) => tensor.grad === null)).toBe(true)
  })
})

describe('bits', () => {
  test('forward and forwardBackward answer equal bits for equal groups: the first ratio is exactly 1', async () => {
    const model = await load('untied-llama3', 'all', HEADS)
    model.budget = 70
    const groups = Array.from({ length: 9 }, (_, i) => randomSequences(1 + (i % 4), { vocabulary: 53, seed: i }))
    const old = await engine.forward(model, groups, ALL_OUTPUTS, PASS)
    const again: Outputs[][] = groups.map(() => [])
    const watch: GroupLoss = (out, group) => {
      again[group] = out.map((o) => structuredClone(o))
      return { loss: 0, stats: {}, gradient: out.map((o) => ({ logprobs_S: o.logprobs_S!.map(() => 0.1) })) }
    }
    await engine.forwardBackward(model, groups, ALL_OUTPUTS, watch, PASS)
    expect(again).toEqual(old)
  })

  test('what else is wanted does not move log-probabilities', async () => {
    const model = await load('untied-llama3', 'nothing', HEADS)
    const groups = [randomSequences(5, { vocabulary: 53 })]
    const [few] = await engine.forward(model, groups, ['logprobs'], PASS)
    const [all] = await engine.forward(model, groups, ALL_OUTPUTS, PASS)
    few!.forEach((out, i) => expect(out.logprobs_S).toEqual(all![i]!.logprobs_S))
  })

  test('regrouped, they agree within 1e-5', async () => {
    const model = await load('grouped-tied')
    const sequences = randomSequences(12, { vocabulary: 61 })
    const one = (await engine.forward(model, [sequences], ['logprobs'], PASS)).flat()
    const reversed = sequences.toReversed().map((s) => [s])
    model.budget = 50
    const other = (await engine.forward(model, reversed, ['logprobs'], PASS)).flat().reverse()
    one.forEach((out, i) => expect(gap(out.logprobs_S!, other[i]!.logprobs_S!)).toBeLessThan(1e-5))
  })
})

test('a pass that is aborted stops between micro-batches and leaves no gradient', async () => {
  const model = await load('wide-heads', 'all')
  model.budget = 20
  const controller = new AbortController()
  const groups = Array.from({ length: 8 }, (_, seed) => randomSequences(1, { vocabulary: 47, seed }))
  let seen = 0
  const loss: GroupLoss = (out, group) => {
    if (++seen === 3) controller.abort(new Error('enough'))
    return squares(1)(out, group)
  }
  const pass = engine.forwardBackward(model, groups, ['logprobs'], loss, { ...PASS, signal: controller.signal })
  await expect(pass).rejects.toThrow('enough')
  expect(seen).toBe(3)
  expect(model.body.every(({ tensor }) => tensor.grad === null)).toBe(true)
})

test('embed is the mean of the last hidden states', async () => {
  const model = await load('grouped-tied')
  const [a, b] = randomSequences(2, { vocabulary: 61 })
  const together = await engine.embed(model, [a!, b!])
  const alone = await engine.embed(model, [b!])
  expect(together[0]!.length).toBe(36)
  expect(gap(together[1]!, alone[0]!)).toBeLessThan(1e-5)
})

test('what a model cannot do is refused by name', async () => {
  const model = await load('grouped-tied')
  const groups = [randomSequences(1, { vocabulary: 61 })]
  await expect(engine.forward(model, groups, ['values'], PASS)).rejects.toThrow(
    /values wanted, but it has no value head/,
  )
  await expect(engine.forwardBackward(model, groups, ['logprobs'], squares(1), PASS)).rejects.toThrow(/train nothing/)
  await expect(engine.forward(model, groups, ['logprobs'], { temperature: 0, seed: 0 })).rejects.toThrow(/temperature/)
})

test('a base in use is not released', async () => {
  const reference = await load('grouped-tied')
  const from = { weights: join(GOLDENS, 'grouped-tied') }
  const sharer = await engine.load({ from, sharesBaseOf: reference, trains: 'nothing', heads: HEADS, seed: 3 })
  await expect(engine.release(reference)).rejects.toThrow(/1 others use its base/)
  const groups = [randomSequences(1, { vocabulary: 61 })]
  const [a] = (await engine.forward(reference, groups, ['logprobs'], PASS)).flat()
  const [b] = (await engine.forward(sharer, groups, ['logprobs'], PASS)).flat()
  expect(gap(a!.logprobs_S!, b!.logprobs_S!)).toBe(0)
  await engine.release(sharer)
})

async function load(name: string, trains: 'nothing' | 'all' = 'nothing', heads?: HeadSpec): Promise<LanguageModel> {
  const model = await engine.load({ from: { weights: join(GOLDENS, name) }, trains, ...(heads && { heads }), seed: 4 })
  loaded.push(model)
  return model as LanguageModel
}

/** 0.5 scale sum(output^2): a loss whose gradient is scale times the output, for whatever is there. */
function squares(scale: number): GroupLoss {
  return (outputs) => {
    let loss = 0
    const gradient = outputs.map((out) => {
      const own: Outputs = {}
      for (const name of ['logprobs_S', 'entropies_S', 'values_S', 'scores_PH'] as const) {
        const values = out[name]
        if (!values) continue
        loss += 0.5 * scale * dot(values, values)
        own[name] = values.map((x) => scale * x)
      }
      if (out.valueAfter !== undefined) {
        loss += 0.5 * scale * out.valueAfter ** 2
        own.valueAfter = scale * out.valueAfter
      }
      return own
    })
    return { loss, stats: {}, gradient }
  }
}

async function gradientsOf(
  model: LanguageModel,
  groups: Sequence[][],
  loss: Parameters<typeof engine.forwardBackward>[3],
): Promise<{ flat: number[]; sums: { loss: number } }> {
  const sums = await engine.forwardBackward(model, groups, ['logprobs'], loss, PASS)
  const flat = scope(() => model.body.flatMap(({ tensor }) => [...toFloat32(tensor.grad!)]))
  await engine.discard(model)
  return { flat, sums }
}

function write(tensor: LanguageModel['body'][number]['tensor'], values: Float32Array): void {
  scope(() => noGrad(() => void copy_(tensor, fromArray(values, tensor.shape))))
}

function scoredFrom(tokens: number[], first: number): Sequence {
  return { tokens: Int32Array.from(tokens), isScored: Uint8Array.from(tokens, (_, t) => (t >= first ? 1 : 0)) }
}

function randomSequences(count: number, o: { vocabulary: number; seed?: number }): Sequence[] {
  const draws = normals(o.seed ?? 1, 'tokens', count * 40).map(Math.abs)
  return Array.from({ length: count }, (_, i) => {
    const length = 3 + Math.floor(draws[i]! * 8)
    const tokens = Array.from({ length }, (_, t) => Math.floor(draws[count + i * 30 + t]! * 1e4) % o.vocabulary)
    return scoredFrom(tokens, Math.min(1 + (i % 3), length - 1))
  })
}

function gap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length)
  let most = 0
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

function largest(values: ArrayLike<number>): number {
  return gap(values, new Float64Array(values.length))
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
