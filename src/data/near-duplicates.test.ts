import { expect, test } from 'vitest'
import { generator } from '#stats'
import { NearIndex, signatureOf } from './near-duplicates.ts'

const random = generator(7)
const words = (n: number) => Array.from({ length: n }, () => `w${Math.floor(random.uniform() * 5000)}`)

test('similarity is the exact Jaccard of word 5-grams', () => {
  const index = new NearIndex(0.1)
  index.add(signatureOf('a b c d e f g'), 4)
  expect(index.find(signatureOf('A, b c: d e f g!'))).toEqual({ other: 4, similarity: 1 })
  // 5-grams: abcde bcdef cdefg against bcdef cdefg defgh: 2 shared of 4.
  expect(index.find(signatureOf('b c d e f g h'))).toEqual({ other: 4, similarity: 0.5 })
  expect(index.find(signatureOf('?!'))).toBeUndefined()
  expect(index.find(signatureOf('quite other words in this one here'))).toBeUndefined()
})

test('of 500 planted copies at 0.8 or more, at least 499 are found among 5000 texts; none that is not', () => {
  const index = new NearIndex(0.8)
  const texts = Array.from({ length: 5000 }, () => words(60))
  for (const [i, text] of texts.entries()) index.add(signatureOf(text.join(' ')), i)
  let found = 0
  for (let i = 0; i < 500; i++) {
    // One changed word changes 5 of 56 grams: 51 shared of 61.
    const copy = texts[i]!.with(10 + (i % 40), 'changed')
    if (index.find(signatureOf(copy.join(' ')))?.other === i) found++
  }
  expect(found).toBeGreaterThanOrEqual(499)
  const strangers = Array.from({ length: 500 }, () => index.find(signatureOf(words(60).join(' '))))
  expect(strangers.filter(Boolean)).toEqual([])
})
