// A real model through import, tokenizer, forward pass and greedy generation, held to transformers on the same weights
// (scripts/goldens/smollm2.py). Skipped, with a sentence, where the model cannot be had.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine, Model } from '#engine/contract'
import { createEmbeddedEngine, importGguf } from '#lm'
import { closeTemplates, loadTokenizer, type Tokenizer, tokenizePrompt } from '#text'
import { smollm2 } from '../scripts/smollm2.ts'

type Golden = {
  answers: { question: string; prompt: number[]; answer: number[]; text: string; logprobs: number[] }[]
  strings: { alphabet: string[]; count: number; seed: number; group: number; sha256: string[] }
}
const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens', 'smollm2.json'), 'utf8')) as Golden
const found = smollm2()

describe.skipIf('missing' in found)('missing' in found ? found.missing : 'SmolLM2-135M-Instruct', () => {
  let root: string
  let tokenizer: Tokenizer
  let engine: Engine
  let model: Model
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'hone-real-model-'))
    const folder = join(root, 'model')
    importGguf({ file: 'file' in found ? found.file : '', to: folder })
    tokenizer = loadTokenizer(folder)
    engine = createEmbeddedEngine({ precision: 'float32' })
    model = await engine.load({ from: { weights: folder }, trains: 'nothing' })
  })
  afterAll(async () => {
    await engine.release(model)
    closeTemplates()
    rmSync(root, { recursive: true })
  })

  test('its tokenizer gives the tokens of the reference on 10,000 odd strings', () => {
    const { alphabet, count, seed, group, sha256 } = golden.strings
    let state = seed
    const draw = () => {
      state = Number((BigInt(state) * 1664525n + 1013904223n) % 2n ** 32n)
      return state >>> 16
    }
    const hashes = Array.from({ length: count / group }, () => {
      const hash = createHash('sha256')
      for (let i = 0; i < group; i++) {
        const pieces: string[] = []
        for (let n = 1 + (draw() % 12); n > 0; n--) pieces.push(alphabet[draw() % alphabet.length]!)
        hash.update(`${tokenizer.encode(pieces.join('')).join(' ')}\n`)
      }
      return hash.digest('hex')
    })
    expect(hashes).toEqual(sha256)
  })

  test('its chat template and log-probabilities are those of transformers', async () => {
    const groups = golden.answers.map(({ prompt, answer }) => {
      const tokens = Int32Array.from([...prompt, ...answer])
      return [{ tokens, isScored: Uint8Array.from(tokens, (_, i) => (i === 0 ? 0 : 1)) }]
    })
    const outputs = await engine.forward(model, groups, ['logprobs'], { temperature: 1, seed: 0 })
    for (const [i, { question, prompt, logprobs }] of golden.answers.entries()) {
      expect([...(await tokenizePrompt(tokenizer, [{ role: 'user', content: question }]))]).toEqual(prompt)
      const [{ logprobs_S } = {}] = outputs[i]!
      expect(logprobs_S!.length).toBe(logprobs.length)
      for (const [s, expected] of logprobs.entries()) expect(Math.abs(logprobs_S![s]! - expected)).toBeLessThan(1e-3)
    }
  })

  test('its greedy answers to 20 questions are those of transformers', async () => {
    const requests = golden.answers.map(({ prompt, answer }, i) => ({
      id: String(i),
      tokens: Int32Array.from(prompt),
      n: 1,
      temperature: 0,
      maxTokens: Math.max(24, answer.length),
      stopTokens: tokenizer.eosIds,
      seed: 0,
    }))
    const answers: number[][] = requests.map(() => [])
    for await (const { id, tokens } of engine.sample(model, requests, {})) answers[Number(id)]!.push(...tokens)
    expect(answers).toEqual(golden.answers.map(({ answer }) => answer))
    expect(tokenizer.decode(answers[0]!, { skipSpecial: true })).toBe('The capital of France is Paris.')
  })
})
