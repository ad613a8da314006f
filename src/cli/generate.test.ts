// Settings of drawing, over a random tiny model, and the server as a process of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import OpenAI from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTinyModel } from '../sampler/tiny-model.test-data.ts'
import { runCommand } from './command.test-data.ts'
import { generateCommand } from './generate.ts'

let folder: string
let model: string
beforeAll(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-generate-'))
  model = join(folder, 'tiny')
  createTinyModel(model, { contextTokens: 512 })
  fs.writeFileSync(join(folder, 'prompts.jsonl'), '{"prompt":"What colour"}\n{"prompt":"It is"}\n')
})
afterAll(() => fs.rmSync(folder, { recursive: true }))

type Line = { prompt: string; completion: string; finished: boolean; tokens: number }

async function generate(...flags: string[]): Promise<Line[]> {
  const file = join(folder, 'out.jsonl')
  const args = ['generate', '--model', model, '--prompts', join(folder, 'prompts.jsonl'), '--out', file, ...flags]
  await runCommand([generateCommand], args)
  return fs
    .readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line)
}

test('--stop ends completions before the first of its texts; the same seed gives the same until there', async () => {
  const plain = await generate('--max-tokens', '60', '--seed', '3')
  const text = plain[0]!.completion
  const [first, second] = [text.slice(20, 23), text.slice(8, 10)]
  const cut = await generate('--max-tokens', '60', '--seed', '3', '--stop', first, '--stop', second)
  const ends = [first, second].map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  expect(cut[0]!.completion).toBe(text.slice(0, Math.min(...ends)))
  expect(cut[0]).toMatchObject({ finished: true })
  expect(cut[0]!.tokens).toBeLessThan(plain[0]!.tokens)
})

test('--min-p near 1 takes the likeliest token; --repetition-penalty weighs what is there', async () => {
  const greedy = await generate('--temperature', '0', '--max-tokens', '30')
  expect(await generate('--min-p', '0.999999', '--max-tokens', '30')).toMatchObject(
    greedy.map(({ completion }) => ({ completion })),
  )
  // Far below 1 it draws what is there already, over and over.
  const [plain, repeated] = [
    await generate('--seed', '3'),
    await generate('--seed', '3', '--repetition-penalty', '1e-3'),
  ]
  const kinds = (lines: Line[]): number => new Set(lines[0]!.completion.slice(0, 100)).size
  expect(kinds(repeated)).toBeLessThan(kinds(plain))
})

test('--json-schema: every completion is whole and fits', async () => {
  const schema = join(folder, 'schema.json')
  const properties = { colour: { enum: ['red', 'blue'] }, sure: { type: 'boolean' } }
  fs.writeFileSync(schema, JSON.stringify({ type: 'object', properties, required: ['colour', 'sure'] }))
  for (const { completion, finished } of await generate('--json-schema', schema, '--n', '20', '--max-tokens', '40')) {
    const value = JSON.parse(completion) as { colour: string; sure: boolean }
    expect(['red', 'blue']).toContain(value.colour)
    expect(typeof value.sure).toBe('boolean')
    expect(finished).toBe(true)
  }
  await expect(generate('--json-schema', schema, '--stop', 'x')).rejects.toThrow(/--stop would cut/)
  fs.writeFileSync(schema, '{"type":"string","pattern":"a"}')
  await expect(generate('--json-schema', schema)).rejects.toThrow(/schema.json: #\/pattern: is not supported/)
})

test.each([
  [['--stop', ''], /--stop: expected some text/],
  [['--min-p', '1'], /--min-p: expected a number from 0/],
  [['--repetition-penalty', '0'], /--repetition-penalty: expected/],
  [['--temperature', '0', '--min-p', '0.1'], /--min-p would be ignored at temperature 0/],
])('%j is refused', async (flags, message) => {
  await expect(generate(...flags)).rejects.toThrow(message)
})

test('serve-model listens, answers, lets open requests end at Ctrl-C, and exits with 0', async () => {
  const hone = resolve(import.meta.dirname, '../../scripts/hone.mjs')
  const args = [hone, 'serve-model', model, '--port', '0', '--api-key', 'k', '--name', 'desk', '--json']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  try {
    const [first] = (await once(child.stdout, 'data')) as [Buffer]
    const { url } = JSON.parse(first.toString()) as { url: string }
    const client = new OpenAI({ baseURL: url, apiKey: 'k', maxRetries: 0 })
    const asked = { model: 'desk', prompt: 'What', max_tokens: 400, n: 8, seed: 1, stream: true } as const
    let text = ''
    let chunks = 0
    for await (const chunk of await client.completions.create(asked)) {
      // Once: a second one ends it at once, and the first chunk may have no text yet.
      if (chunks++ === 0) child.kill('SIGINT')
      text += chunk.choices[0]?.text ?? ''
    }
    expect(text.length).toBeGreaterThan(0)
    if (child.exitCode === null) await once(child, 'exit')
    expect(child.exitCode).toBe(0)
  } finally {
    child.kill('SIGKILL')
  }
})
