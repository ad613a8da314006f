import { expect, test } from 'vitest'
import { plantedCrowd } from '../../trials/worlds/crowd.ts'
import { ConfigError } from '#errors'
import { average } from '#stats'
import { gatherItems, type Item } from './items.ts'
import { decideOverlap, decideOverlaps } from './overlap.ts'
import { fitCoins } from './two-coin.ts'

const coins = () => ({ left: 0.8, right: 0.8 })
const votes = (...towards: (number | undefined)[]) => ({
  item: 'i',
  votes: towards.map((towardsA, i) => ({
    annotator: `p${i}`,
    row: 0,
    isALeft: true,
    choice:
      towardsA === undefined ? ('cannot-judge' as const) : towardsA === 1 ? ('left' as const) : ('right' as const),
    ...(towardsA !== undefined && { towardsA }),
  })),
})

test('one more is asked until the posterior passes, and never beyond the cap', () => {
  const because = (...towards: (number | undefined)[]) => decideOverlap(votes(...towards), coins).because
  expect(because(1)).toBe('below least')
  expect(because(1, 1)).toBe('certain')
  expect(because(1, 0)).toBe('uncertain')
  expect(because(1, 0, 1)).toBe('uncertain')
  expect(because(1, 0, 1, 1)).toBe('certain')
  expect(because(1, 0, 1, 0, undefined)).toBe('cap')
  expect(decideOverlap(votes(1, 1), coins).probability).toBeCloseTo(16 / 17, 9)
  expect(() => decideOverlap(votes(1), coins, { threshold: 0.4, least: 1, cap: 3 })).toThrow(ConfigError)
})

test('on a crowd it is right more often than a fixed overlap that costs as much', () => {
  const { judgements, comparisons } = plantedCrowd({ seed: 9, faults: ['side', 'spam'], overlap: 9, each: 600 })
  const all = gatherItems(judgements, comparisons)
  const truth = fitCoins(all, 'two-coin').posterior.map((p) => p > 0.5)
  let asked: Item[] = all.map((item) => ({ ...item, votes: item.votes.slice(0, 2) }))
  const rule = { threshold: 0.93, least: 2, cap: 6 }
  for (;;) {
    const more = decideOverlaps(asked, { rule })
    if (!more.some(({ wantsMore }) => wantsMore)) break
    asked = asked.map((item, i) =>
      more[i]!.wantsMore ? { ...item, votes: all[i]!.votes.slice(0, item.votes.length + 1) } : item,
    )
  }
  const cost = average(asked.map((item) => item.votes.length))
  expect(Math.max(...asked.map((item) => item.votes.length))).toBe(6)
  const accuracy = (items: Item[]) =>
    average(fitCoins(items, 'two-coin').posterior.map((p, i) => Number(p > 0.5 === truth[i])))
  const fixed = all.map((item) => ({ ...item, votes: item.votes.slice(0, Math.ceil(cost)) }))
  expect(accuracy(asked)).toBeGreaterThan(accuracy(fixed))
})
