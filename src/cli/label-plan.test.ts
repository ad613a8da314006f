import { expect, test } from 'vitest'
import { deriveSeed, generator, meanInterval } from '#stats'
import { runCommand } from './command.test-data.ts'
import { labelCommands } from './label.ts'

const plan = (...args: string[]) => runCommand([labelCommands], ['label', 'plan', ...args])

test('one judgement a pair and one pair a prompt need what independent trials need', async () => {
  expect(await plan('win-rate', '--expect', '0.55')).toMatchObject({
    level: 0.95,
    power: 0.8,
    against: 0.5,
    designEffect: 1,
    trials: 783,
    prompts: 783,
    pairs: 783,
    judgements: 783,
  })
  expect(await plan('win-rate', '--half-width', '0.05')).toMatchObject({ trials: 385, pairs: 385 })
})

test('of several models each two need as many pairs, on the same prompts', async () => {
  const made = await plan('win-rate', '--expect', '0.55', '--models', '3', '--overlap', '2', '--within-pair', '0.4')
  const two = await plan('win-rate', '--expect', '0.55', '--overlap', '2', '--within-pair', '0.4')
  const { prompts, pairs, judgements } = two as Record<string, number>
  expect(made).toMatchObject({
    models: 3,
    couples: 3,
    trials: 783,
    prompts,
    pairs: 3 * pairs!,
    judgements: 3 * judgements!,
  })
  expect(two).not.toHaveProperty('models')
  await expect(plan('change', '--expect', '1', '--deviation', '2', '--models', '3')).rejects.toThrow(
    /--models would be ignored: it is of a win-rate/,
  )
})

test('overlap and shared prompts cost judgements by how far these go together', async () => {
  const shared = ['--overlap', '3', '--within-pair', '0.4', '--per-prompt', '2', '--within-prompt', '0.1']
  const made = await plan('win-rate', '--expect', '0.6', ...shared)
  expect(made).toMatchObject({ overlap: 3, perPrompt: 2, withinPair: 0.4, withinPrompt: 0.1 })
  expect(made.designEffect).toBeCloseTo(1 + 2 * 0.4 + 3 * 0.1, 12)
  const { trials, prompts, pairs, judgements } = made as Record<string, number>
  expect(prompts).toBe(Math.ceil((trials! * 2.1) / 6))
  expect([pairs, judgements]).toEqual([prompts! * 2, prompts! * 6])

  // The planned numbers see what they were planned to see, about as often as was asked for.
  const seen = Array.from({ length: 400 }, (_, i) => simulate(prompts!, deriveSeed(1, 'power', i)) > 0.5)
  const power = seen.filter(Boolean).length / seen.length
  expect(power).toBeGreaterThan(0.74)
  expect(power).toBeLessThan(0.86)
})

/** Low end of the win rate over judgements that repeat their prompt's answer with probability sqrt(0.1), their pair's with sqrt(0.3). */
function simulate(prompts: number, seed: number): number {
  const random = generator(seed)
  const coin = () => Number(random.uniform() < 0.6)
  const [ofPrompt, ofPair] = [Math.sqrt(0.1), Math.sqrt(0.3)]
  const votes: number[] = []
  const clusters: string[] = []
  for (let prompt = 0; prompt < prompts; prompt++) {
    const shared = coin()
    for (let pair = 0; pair < 2; pair++) {
      const own = coin()
      for (let k = 0; k < 3; k++) {
        const draw = random.uniform()
        votes.push(draw < ofPrompt ? shared : draw < ofPrompt + ofPair ? own : coin())
        clusters.push(String(prompt))
      }
    }
  }
  return meanInterval(votes, { clusters }).low
}

test('a change needs its deviation, agreement two judgements a pair', async () => {
  const change = ['change', '--expect', '0.05', '--deviation', '0.25']
  expect(await plan(...change)).toMatchObject({ trials: 197, judgements: 197 })
  expect(await plan(...change, '--level', '0.99')).toMatchObject({ level: 0.99, trials: 292 })
  expect(await plan('change', '--half-width', '0.05', '--deviation', '0.25')).toMatchObject({ trials: 97 })
  // An alpha of 0.6 is 80% the same answers of two: its interval is twice as wide as that of the share.
  const precise = await plan('agreement', '--expect', '0.6', '--half-width', '0.1')
  expect(precise).toMatchObject({ trials: Math.ceil((1.959964 / 0.05) ** 2 * 0.16), overlap: 2 })
  expect(precise.judgements).toBe(2 * (precise.pairs as number))
  expect(await plan('agreement', '--expect', '0.8', '--against', '0.67')).toMatchObject({ expect: 0.8, against: 0.67 })
})

test('what would be ignored, and what is missing, is one sentence', async () => {
  const cases: [string[], RegExp][] = [
    [['kappa', '--expect', '0.6'], /expected win-rate, change, agreement, got kappa/],
    [['win-rate'], /expected --expect/],
    [['win-rate', '--expect', '0.5'], /another value than 0.5/],
    [['win-rate', '--expect', '0.6', '--overlap', '2'], /expected --within-pair/],
    [['win-rate', '--expect', '0.6', '--per-prompt', '2'], /expected --within-prompt/],
    [['win-rate', '--expect', '0.6', '--within-pair', '0.4'], /--within-pair would be ignored/],
    [['win-rate', '--half-width', '0.1', '--power', '0.9'], /--power would be ignored/],
    [['win-rate', '--expect', '0.6', '--deviation', '1'], /--deviation would be ignored/],
    [['change', '--expect', '0.1'], /expected --deviation/],
    [['agreement', '--expect', '0.6'], /expected --against/],
    [['agreement', '--expect', '0.6', '--half-width', '0.1', '--overlap', '1'], /--overlap: expected/],
  ]
  for (const [args, message] of cases) await expect(plan(...args)).rejects.toThrow(message)
})
