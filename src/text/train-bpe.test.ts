import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError } from '#errors'
import { HONE_PATTERN } from './split-patterns.ts'
import { parseTokenizerJson } from './tokenizer-json.ts'
import { loadTokenizer } from './tokenizer.ts'
import { trainBpe } from './train-bpe.ts'

const GOLDENS = join(import.meta.dirname, 'goldens')
const { train, seeds, vocabSize } = JSON.parse(fs.readFileSync(join(GOLDENS, 'inputs.json'), 'utf8')) as {
  train: string[]
  seeds: string[]
  vocabSize: number
}
const specials = { pad: '<|pad|>', eos: '<|end|>', bos: '<|begin|>', more: ['<|user|>', '<|assistant|>'] }

test('training gives the tokenizer that Python was asked about', () => {
  const files = trainBpe({ texts: train, vocabSize, specials, seedTokens: seeds })
  for (const [name, content] of Object.entries(files)) {
    const golden = join(GOLDENS, 'tokenizer', name)
    if (process.env['UPDATE_GOLDENS']) fs.writeFileSync(golden, content)
    expect(content, name).toBe(fs.readFileSync(golden, 'utf8'))
  }
})

test('every number from 0 to 99 is one token, with and without a space, whatever was merged before', () => {
  const tokenizer = loadTokenizer(join(GOLDENS, 'tokenizer'))
  for (const seed of seeds) expect(tokenizer.encode(seed), seed).toHaveLength(1)
  for (const [text, count] of [
    ['12345', 3],
    [' 12345', 3],
    ['x42', 2],
    ['$3.50', 4],
    [' 9:00', 3],
  ] as const)
    expect(tokenizer.encode(text), text).toHaveLength(count)
})

test('frequent pairs come first; of equal ones the lowest ids', () => {
  // Bytes are numbered as they come, so the space is before every letter.
  expect(trained(['ab ab ab cd cd', 'ab cd'], 400).model.merges).toEqual([
    ['a', 'b'],
    ['Ġ', 'c'],
    ['Ġc', 'd'],
    ['Ġ', 'ab'],
  ])
})

test('the counts stay right: each merge is the most frequent pair when all is counted anew', () => {
  // ASCII alone, so that a character is a byte.
  const words = train
    .flatMap((text) => text.match(new RegExp(HONE_PATTERN, 'gu'))!)
    .filter((word) => /^[ -~]+$/.test(word))
  const { model } = trained(words, 420)
  expect(model.merges.length).toBeGreaterThan(100)
  let pieces = words.map((word) => Array.from(word.replaceAll(' ', 'Ġ')))
  for (const [left, right] of model.merges as [string, string][]) {
    const counts = new Map<string, number>()
    for (const piece of pieces)
      for (let i = 0; i + 1 < piece.length; i++) {
        const pair = `${piece[i]} ${piece[i + 1]}`
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      }
    expect(counts.get(`${left} ${right}`), `${left} ${right}`).toBe(Math.max(...counts.values()))
    pieces = pieces.map((piece) => merged(piece, left, right))
  }
})

test('rare pairs are not merged, and text of special tokens is not learned', () => {
  expect(trained(['ab cd ef'], 400).model.merges).toEqual([])
  expect(trained(['<|end|><|end|><|end|>'], 400).model.merges).toEqual([])
})

test('what cannot be is a ConfigError', () => {
  const fail = (changes: object) => () => trainBpe({ texts: train, vocabSize, specials, ...changes })
  expect(fail({ vocabSize: 200 })).toThrow(ConfigError)
  expect(fail({ seedTokens: ['123'] })).toThrow('is cut by the split pattern')
  expect(fail({ seedTokens: [''] })).toThrow('is cut by the split pattern')
  expect(fail({ specials: { pad: '<|end|>', eos: '<|end|>' } })).toThrow('different special tokens')
})

function trained(texts: string[], size: number) {
  const files = trainBpe({ texts, vocabSize: size, specials: { pad: '<|pad|>', eos: '<|end|>' } })
  return parseTokenizerJson(JSON.parse(files['tokenizer.json']), 'tokenizer.json')
}

function merged(piece: string[], left: string, right: string): string[] {
  const out: string[] = []
  for (let i = 0; i < piece.length; i++) {
    const isPair = piece[i] === left && piece[i + 1] === right
    out.push(isPair ? left + right : piece[i]!)
    if (isPair) i++
  }
  return out
}
