// The reward model reads judgements and nothing else: raw judgements of a noisy crowd, aggregated as any user's are, train
// the real recipe on a world whose true reward is known. Permuted judgements teach nothing; a fifth of them turned round
// teaches less. `npm run trials -- reward-labels` is the same on the bundled domain.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PairExample, reward, scoresOf } from '#align'
import { aggregate } from '#feedback'
import { type Comparison, type Judgement, RewardConfig } from '#schema'
import { boundedMean, deriveSeed, type Generator, generator } from '#stats'
import { runRecipe } from '../trials/worlds/runner.ts'
import { type SmallWorld, smallWorld } from '../trials/worlds/tabular.ts'

const SEED = 5
const PROMPTS = 12
const PAIRS = 1200
const HELD_OUT = 2400
const OVERLAP = 3
/** Logits a unit of true reward, and in favour of the left side. The last two say nothing that is true. */
const CROWD = [
  { skill: 2.5, lean: 0 },
  { skill: 2, lean: 0 },
  { skill: 2, lean: 0.5 },
  { skill: 1.5, lean: 0 },
  { skill: 1.5, lean: -0.5 },
  { skill: 1, lean: 0 },
  { skill: 0, lean: 1 },
  { skill: 0, lean: 0 },
]

let world: SmallWorld
beforeAll(async () => {
  world = await smallWorld({ seed: SEED, words: 5, prompts: PROMPTS, maxTokens: 2 })
})
afterAll(() => world.close())

const textOf = (tokens: Int32Array) => tokens.join(' ')
const tokensOf = (text: string) => Int32Array.from(text.split(' '), Number)
/** How much better `a` truly is. */
const truth = ({ prompt, a, b }: Comparison) =>
  world.rewardOf(tokensOf(prompt as string), tokensOf(a)) - world.rewardOf(tokensOf(prompt as string), tokensOf(b))

function draw(count: number, purpose: string): Comparison[] {
  const random = generator(deriveSeed(SEED, purpose))
  return Array.from({ length: count }, (_, i) => {
    const prompt = textOf(random.pick(world.prompts))
    const [a, b] = random.shuffle(world.completions).map(textOf)
    return { item: `${purpose}-${i}`, prompt, a: a!, b: b! }
  })
}

function judge(comparisons: Comparison[]): Judgement[] {
  const random = generator(deriveSeed(SEED, 'crowd'))
  return comparisons.flatMap(({ item, prompt, a, b }) =>
    random
      .shuffle(CROWD.map((_, person) => person))
      .slice(0, OVERLAP)
      .map((person): Judgement => {
        const { skill, lean } = CROWD[person]!
        const [left, right] = random.uniform() < 0.5 ? [a, b] : [b, a]
        const logit = skill * truth({ item, prompt, a: left, b: right }) + lean
        const isLeft = random.uniform() < 1 / (1 + Math.exp(-logit))
        return { item, annotator: `p${person}`, prompt, left, right, choice: isLeft ? 'left' : 'right' }
      }),
  )
}

/** 1 for each held-out pair that a reward model trained on these judgements orders as the truth does. */
async function train(judgements: Judgement[], heldOut: Comparison[]): Promise<number[]> {
  const { preferences } = aggregate({ judgements, seed: SEED })
  const pairs = preferences.map(
    ({ prompt, a, b, probability, weight }): PairExample => ({
      prompt: tokensOf(prompt as string),
      a: tokensOf(a),
      b: tokensOf(b),
      probability,
      weight,
    }),
  )
  const { engine, folder, weights } = world
  const heads = { scores: { names: ['reward'], read: 'last' as const } }
  const model = await engine.load({ from: { weights }, trains: 'all', heads })
  const config = RewardConfig.parse({ headLearningRate: 0.05, steps: 150, batchSize: 4, warmupSteps: 3, seed: SEED })
  const reference = world.prompts.flatMap((prompt) => world.completions.map((completion) => ({ prompt, completion })))
  await runRecipe(reward({ engine, model, config, pairs, reference }), { engine, folder })
  const score = (side: 'a' | 'b') =>
    scoresOf(
      engine,
      model,
      heldOut.map((pair) => ({ prompt: tokensOf(pair.prompt as string), completion: tokensOf(pair[side]) })),
    )
  const [scoresA, scoresB] = [await score('a'), await score('b')]
  await engine.release(model)
  return heldOut.map((pair, i) => Number(Math.sign(scoresA[i]! - scoresB[i]!) === Math.sign(truth(pair))))
}

function permute(judgements: Judgement[], random: Generator): Judgement[] {
  const choices = random.shuffle(judgements.map(({ choice }) => choice))
  return judgements.map((judgement, i) => ({ ...judgement, choice: choices[i]! }))
}

function turnAFifth(judgements: Judgement[], random: Generator): Judgement[] {
  const turned = { left: 'right', right: 'left' } as const
  return judgements.map((judgement) => {
    const choice = judgement.choice as 'left' | 'right'
    return random.uniform() < 0.2 ? { ...judgement, choice: turned[choice] } : judgement
  })
}

test('permuted judgements leave an accuracy whose interval holds a half; a fifth turned round lowers it measurably', async () => {
  const heldOut = draw(HELD_OUT, 'held-out')
  const judgements = judge(draw(PAIRS, 'pairs'))
  const intact = await train(judgements, heldOut)
  const permuted = await train(permute(judgements, generator(deriveSeed(SEED, 'permute'))), heldOut)
  const turned = await train(turnAFifth(judgements, generator(deriveSeed(SEED, 'turn'))), heldOut)

  // The pairs of a prompt share its scores, so prompts are what is resampled: 95% intervals over 12 of them.
  const over = { seed: SEED, clusters: heldOut.map(({ prompt }) => prompt as string) }
  const accuracy = (hits: number[]) => boundedMean(hits, { ...over, bounds: [0, 1] })
  expect(accuracy(intact).low).toBeGreaterThan(0.75)
  const none = accuracy(permuted)
  expect(none.low).toBeLessThan(0.5)
  expect(none.high).toBeGreaterThan(0.5)
  // Paired, pair by pair: the whole interval of the loss lies above 0, and it is a point or more.
  const lost = boundedMean(
    intact.map((hit, i) => hit - turned[i]!),
    { ...over, bounds: [-1, 1] },
  )
  expect(lost.low).toBeGreaterThan(0)
  expect(lost.value).toBeGreaterThan(0.01)
})
