// The base has seen no demonstration and no reply grammar: checked here by another route than the filter's own.
import { expect, test } from 'vitest'
import { fillSlots, splitSentences } from '#simulate'
import { demonstrations } from '../demonstrations.ts'
import { tables } from '../grammar.ts'
import { knowledgeBase } from '../knowledge-base.ts'
import { baseCorpus, generalText, isReplyFree, lookupEval, seedTokens, tokenizerTexts } from './index.ts'

const plain = (text: string) =>
  ` ${text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, ' ')
    .trim()} `

const documents: string[] = []
for (const document of baseCorpus(1)) {
  documents.push(document)
  if (documents.length === 20_000) break
}
const corpus = documents.map(plain).join('\n')

test('no reply sentence is in the corpus, nor eight words in a row of any reply', () => {
  const replies = demonstrations(1, 2000).rows.filter(
    (r) => splitSentences(r.completion).length > 1 && !r.completion.includes('Facts'),
  )
  const sentences = new Set(
    replies
      .flatMap((r) => splitSentences(r.completion))
      .filter((s) => s.split(' ').length >= 3)
      .map(plain),
  )
  for (const { fact: _, ...intent } of tables.intents)
    for (const wording of [...intent.wordings, ...('limitWordings' in intent ? intent.limitWordings : [])])
      for (const item of knowledgeBase.items.slice(0, 3))
        for (const day of knowledgeBase.days)
          sentences.add(
            plain(
              fillSlots(wording, { item, day, month: 'June', limit: '50', amount: '30', window: '30', minutes: '20' }),
            ),
          )
  expect(sentences.size).toBeGreaterThan(300)
  expect([...sentences].filter((s) => corpus.includes(s))).toEqual([])
  const grams = new Set<string>()
  for (const { completion } of replies) {
    const words = plain(completion).trim().split(' ')
    for (let i = 0; i + 8 <= words.length; i++) grams.add(words.slice(i, i + 8).join(' '))
  }
  const found: string[] = []
  for (const document of documents) {
    const words = plain(document).trim().split(' ')
    for (let i = 0; i + 8 <= words.length; i++) {
      const gram = words.slice(i, i + 8).join(' ')
      if (grams.has(gram)) found.push(gram)
    }
  }
  expect(found).toEqual([])
  expect(corpus.includes(' reply ')).toBe(false)
})

test('the filter sees sentences in any case and punctuation, and slots as anything', () => {
  expect(isReplyFree('echo we TRULY, value you / x')).toBe(false)
  expect(isReplyFree('so your zebra arrives someday')).toBe(false)
  expect(isReplyFree('Reply: yes')).toBe(false)
  expect(isReplyFree('Facts: kite arrives Friday.')).toBe(true)
})

test('documents come again for the same seed; general text is of another draw and free of the desk', () => {
  const again: string[] = []
  for (const document of baseCorpus(1)) {
    again.push(document)
    if (again.length === 50) break
  }
  expect(again).toEqual(documents.slice(0, 50))
  const general = generalText(1, 1000, 'held-out')
  expect(general).toEqual(generalText(1, 1000, 'held-out'))
  expect(general.join('\n')).not.toMatch(/Customer|manager|refund|Larkspur/)
  const replay = new Set(generalText(1, 1000, 'replay'))
  expect(general.filter((g) => replay.has(g)).length).toBeLessThan(60)
})

test('look-up questions have four options, the right one among them, and a rival in the same note', () => {
  for (const { prompt, answer, options } of lookupEval(1, 500)) {
    expect(new Set(options).size).toBe(4)
    expect(options).toContain(answer)
    expect(options.filter((o) => prompt.includes(o.trim())).length).toBeGreaterThan(1)
  }
})

test('the tokenizer sees every word of the desk, and numbers as they are seeded', () => {
  const text = tokenizerTexts(1).join(' ')
  for (const word of ['Larkspur', 'frustrating', 'Warmly', 'truly', 'terms'].filter((w) =>
    JSON.stringify(tables).includes(w),
  ))
    expect(text).toContain(word)
  expect(seedTokens).toHaveLength(220)
  expect(seedTokens).toContain(' 07')
})
