import { expect, test } from 'vitest'
import { generator } from '#stats'
import { gramsOf } from './grams.ts'
import { NearIndex } from './near-duplicates.ts'

test('similarity is the exact Jaccard of word 5-grams', () => {
  const texts = ['a b c d e f g', 'A, b c: d e f g!', 'b c d e f g h', '?!', 'quite other words in this one here']
  const index = new NearIndex(gramsOf(texts), 0.1)
  index.add(0)
  expect(index.find(1)).toEqual({ other: 0, similarity: 1 })
  // 5-grams: abcde bcdef cdefg against bcdef cdefg defgh: 2 shared of 4.
  expect(index.find(2)).toEqual({ other: 0, similarity: 0.5 })
  expect(index.find(3)).toBeUndefined()
  expect(index.find(4)).toBeUndefined()
})

test.each([0.5, 0.8, 0.95])('at %d it finds what comparing all pairs finds', (threshold) => {
  const random = generator(7)
  // Few words, so that texts of a small grammar share many grams; every third text is a changed copy.
  const texts: string[] = []
  for (let i = 0; i < 600; i++) {
    const words =
      i % 3 ? Array.from({ length: 40 }, () => `w${random.int(9)}`) : (texts[random.int(i || 1)] ?? 'w').split(' ')
    for (let change = 0; change < random.int(4); change++) words[random.int(words.length)] = `changed${random.int(50)}`
    texts.push(words.join(' '))
  }
  const index = new NearIndex(gramsOf(texts), threshold)
  const sets = texts.map((text) => {
    const words = text.split(' ')
    const width = Math.min(5, words.length)
    return new Set(Array.from({ length: words.length - width + 1 }, (_, i) => words.slice(i, i + width).join(' ')))
  })
  let found = 0
  for (let i = 0; i < texts.length; i++) {
    let best = 0
    for (let j = 0; j < i; j++) {
      const both = [...sets[i]!].filter((gram) => sets[j]!.has(gram)).length
      best = Math.max(best, both / (sets[i]!.size + sets[j]!.size - both))
    }
    const near = index.find(i)
    if (best >= threshold) found++
    expect(near?.similarity).toBe(best >= threshold ? best : undefined)
    index.add(i)
  }
  expect(found).toBeGreaterThan(30)
})
