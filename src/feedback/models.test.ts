// Dawid-Skene, GLAD and MACE against Crowd-Kit (scripts/goldens/crowd.py): within 0.005 of its posteriors everywhere.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { average, deriveSeed, generator } from '#stats'
import { chanceOfFirst, crowdBradleyTerry } from './crowd-bradley-terry.ts'
import { dawidSkene, skillsOf } from './dawid-skene.ts'
import { glad } from './glad.ts'
import { type LabelTable, tabulate } from './label-table.ts'
import { mace } from './mace.ts'

type Posteriors = number[][]
type Golden = { rows: [number, number, number][] } & Record<'dawidSkene' | 'oneCoin' | 'glad' | 'mace', Posteriors> & {
    gladAbilities: number[]
  }
const goldens = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens/crowd.json'), 'utf8')) as Record<
  'two' | 'four' | 'sparse',
  Golden
> & {
  crowdBradleyTerry: {
    rows: [number, number, number, number][]
    scores: number[]
    competences: number[]
    loss: number
  }
}
const pad = (n: number) => String(n).padStart(4, '0')
const tableOf = ({ rows }: Golden) =>
  tabulate(rows.map(([i, a, k]) => ({ item: pad(i), annotator: pad(a), value: String(k) })))

/** The furthest that any posterior is from the golden, items in the golden's order. */
function furthest(table: LabelTable, posterior_IK: Float64Array, golden: Posteriors): number {
  const K = table.classes.length
  const order = table.items.map((_, i) => i).sort((i, j) => (table.items[i]! < table.items[j]! ? -1 : 1))
  expect(order).toHaveLength(golden.length)
  return Math.max(
    ...order.flatMap((i, row) => golden[row]!.map((want, k) => Math.abs(posterior_IK[i * K + k]! - want))),
  )
}

describe.each(['two', 'four', 'sparse'] as const)('Crowd-Kit, %s', (name) => {
  const golden = goldens[name]
  const table = tableOf(golden)
  const plain = { prior: { right: 0, wrong: 0 }, rounds: 5000, tolerance: 1e-12 }

  test('Dawid-Skene', () => {
    expect(furthest(table, dawidSkene(table, plain).posterior_IK, golden.dawidSkene)).toBeLessThan(0.005)
  })
  test('one coin', () => {
    const fit = dawidSkene(table, { ...plain, tying: 'one-coin' })
    expect(furthest(table, fit.posterior_IK, golden.oneCoin)).toBeLessThan(0.005)
  })
  test('GLAD', () => {
    const fit = glad(table)
    expect(fit.isConverged).toBe(true)
    expect(furthest(table, fit.posterior_IK, golden.glad)).toBeLessThan(0.005)
    fit.abilities.forEach((ability, a) => expect(ability).toBeCloseTo(golden.gladAbilities[a]!, 2))
  })
  test('MACE', () => {
    const fit = mace(table, { rounds: 2000, tolerance: 1e-10 })
    expect(furthest(table, fit.posterior_IK, golden.mace)).toBeLessThan(0.005)
  })
})

/** Annotators with known skills; the last one spams class 0, and the first half of the items is hard. */
function planted(seed: number, { items = 600, annotators = 10, K = 3 } = {}) {
  const random = generator(deriveSeed(seed, 'planted'))
  const truth = Array.from({ length: items }, () => random.int(K))
  const labels = truth.flatMap((t, i) =>
    Array.from({ length: annotators }, (_, a) => {
      const isSpammer = a === annotators - 1
      const skill = (0.95 - 0.04 * a) * (i < items / 2 ? 0.7 : 1)
      const said = isSpammer
        ? random.uniform() < 0.8
          ? 0
          : random.int(K)
        : random.uniform() < skill
          ? t
          : (t + 1 + random.int(K - 1)) % K
      return { item: pad(i), annotator: pad(a), value: String(said) }
    }).filter(() => random.uniform() < 0.4),
  )
  const table = tabulate(labels)
  const right = (posterior_IK: Float64Array) =>
    average(
      table.items.map((item, i) => {
        const row = posterior_IK.subarray(i * K, (i + 1) * K)
        return row.indexOf(Math.max(...row)) === truth[Number(item)] ? 1 : 0
      }),
    )
  return { table, right }
}

test('each model finds the truth at least as often as votes do, the spammer, and the order of skills', () => {
  const { table, right } = planted(5)
  const votes = right(dawidSkene(table, { tying: 'alike' }).posterior_IK)
  const spammer = table.annotators.indexOf('0009')
  const best = table.annotators.indexOf('0000')
  const full = dawidSkene(table)
  expect(right(full.posterior_IK)).toBeGreaterThan(votes)
  const skills = skillsOf(full)
  expect(skills[spammer]).toBe(Math.min(...skills))
  expect(skills[best]!).toBeGreaterThan(0.75)
  const easy = glad(table)
  expect(right(easy.posterior_IK)).toBeGreaterThan(votes)
  expect(easy.abilities[spammer]).toBe(Math.min(...easy.abilities))
  const hard = average(table.items.flatMap((item, i) => (Number(item) < 300 ? [easy.easiness[i]!] : [])))
  const rest = average(table.items.flatMap((item, i) => (Number(item) < 300 ? [] : [easy.easiness[i]!])))
  expect(hard).toBeLessThan(rest)
  const trust = mace(table)
  expect(right(trust.posterior_IK)).toBeGreaterThan(votes)
  expect(trust.knowing[spammer]).toBeLessThan(0.15)
  expect(trust.habits_AK[spammer * 3]!).toBeGreaterThan(0.7)
})

test('what each model foretells sums to 1 over the classes', () => {
  const { table } = planted(6, { items: 60 })
  for (const { foretell } of [dawidSkene(table), dawidSkene(table, { tying: 'one-coin' }), glad(table), mace(table)])
    for (const item of [0, 7, 59])
      expect([0, 1, 2].reduce((sum, said) => sum + foretell({ item, annotator: 1, said }), 0)).toBeCloseTo(1, 9)
})

test('restarts of MACE draw from the seed alone', () => {
  const { table } = planted(7, { items: 80 })
  expect(mace(table, { seed: 3 })).toEqual({ ...mace(table, { seed: 3 }), foretell: expect.any(Function) })
})

test('Crowd-BT is at the optimum that scipy finds, an adversary included', () => {
  const { rows, scores, competences, loss } = goldens.crowdBradleyTerry
  const games = rows.map(([first, second, annotator, firstShare]) => ({ first, second, annotator, firstShare }))
  const size = { players: scores.length, annotators: competences.length }
  const fit = crowdBradleyTerry(games, size)
  expect(fit.isConverged).toBe(true)
  expect(fit.loss).toBeCloseTo(loss, 6)
  fit.scores.forEach((score, i) => expect(score).toBeCloseTo(scores[i]!, 4))
  fit.competences.forEach((c, k) => expect(c).toBeCloseTo(competences[k]!, 4))
  expect(competences.at(-1)).toBeLessThan(0.5)
  // Who is known to be right beforehand counts for more; a tie moves both halves.
  const known = competences.map((_, k) => (k === 0 ? { right: 200, wrong: 0 } : undefined))
  expect(crowdBradleyTerry(games, { ...size, known }).competences[0]!).toBeGreaterThan(fit.competences[0]!)
  const tied = crowdBradleyTerry([{ first: 0, second: 1, annotator: 0, firstShare: 0.5 }], {
    players: 2,
    annotators: 1,
  })
  expect(chanceOfFirst(tied, { first: 0, second: 1, annotator: 0 })).toBeCloseTo(0.5, 9)
})
