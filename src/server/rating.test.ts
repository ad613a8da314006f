import { expect, test } from 'vitest'
import { openRating, type ToRate } from './rating.ts'

test('ratings that ended before they were done are worked out anew at the next look', async () => {
  const defects: unknown[] = []
  const rating = openRating({ onDefect: (error) => defects.push(error) })
  let asked = 0
  const look = () =>
    rating.look('campaign', 'answers', () => {
      asked++
      return { parts: [], models: ['a', 'b', 'c'], anchor: 'b', seed: 1, levels: [0.95] } satisfies ToRate
    })
  expect([look(), asked]).toEqual([{ state: 'running' }, 1])
  await rating.close()
  await expect.poll(() => (look(), asked)).toBe(2)
  expect(defects).toEqual([])
  await rating.close()
})
