import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Message } from '#schema'
import { type Dialogue, tokenizeDemonstration, tokenizePrompt } from './demonstration.ts'
import { closeTemplates } from './template.ts'
import { loadTokenizer, type Tokenizer } from './tokenizer.ts'

afterAll(closeTemplates)

const GOLDENS = join(import.meta.dirname, 'goldens')
const { templates } = JSON.parse(fs.readFileSync(join(GOLDENS, 'inputs.json'), 'utf8')) as {
  templates: Record<string, string>
}
const plain = loadTokenizer(join(GOLDENS, 'tokenizer'))
const withTemplate = (text: string): Tokenizer => ({
  ...plain,
  template: { text, file: 'chat_template.jinja', variables: { bos_token: '<|begin|>', eos_token: '<|end|>' } },
})
const turns = withTemplate(templates['turns']!)

const user = (content: string): Message => ({ role: 'user', content })
const assistant = (content: string): Message => ({ role: 'assistant', content })

/** The row as text, completions in angle brackets. */
async function marked(tokenizer: Tokenizer, row: Dialogue): Promise<string> {
  const result = await tokenizeDemonstration(tokenizer, row)
  if ('reason' in result) return `reason: ${result.reason}`
  const { tokens, isScored } = result
  expect(isScored).toHaveLength(tokens.length)
  let text = ''
  for (let i = 0; i < tokens.length; ) {
    let end = i
    while (end < tokens.length && isScored[end] === isScored[i]) end++
    const part = tokenizer.decode(tokens.subarray(i, end))
    text += isScored[i] ? `«${part}»` : part
    i = end
  }
  return text
}

test('strings are joined as they are, with the end of sequence after the completion', async () => {
  expect(await marked(plain, { prompt: 'Q: open?\nA:', completion: ' Yes.\n' })).toBe('Q: open?\nA:« Yes.\n<|end|>»')
  expect(await marked(turns, { prompt: 'a', completion: 'b' })).toBe('a«b<|end|>»')
  expect(await marked(plain, { prompt: '', completion: '' })).toBe('«<|end|>»')
})

test('messages go through the template; every assistant turn with its end is scored, and nothing else', async () => {
  const messages = [user('hi'), assistant('hello'), user('bye'), assistant('so long'), user('still there?')]
  expect(await marked(turns, { messages })).toBe(
    '<|user|>\nhi<|end|>\n<|assistant|>\n«hello<|end|>»\n<|user|>\nbye<|end|>\n<|assistant|>\n«so long<|end|>»',
  )
  const system: Message = { role: 'system', content: 'Be kind.' }
  expect(
    await marked(withTemplate(templates['headers']!), { messages: [system, user('hi'), assistant(' hello ')] }),
  ).toBe('<|begin|>[system] Be kind.<|end|>[user]\n\nhi<|end|>[assistant]\n\n«hello<|end|>»')
})

test('of a prompt of messages only the completion is scored, whatever the assistant said before', async () => {
  const prompt = [user('hi'), assistant('hello'), user('bye')]
  expect(await marked(turns, { prompt, completion: 'so long' })).toBe(
    '<|user|>\nhi<|end|>\n<|assistant|>\nhello<|end|>\n<|user|>\nbye<|end|>\n<|assistant|>\n«so long<|end|>»',
  )
})

test('a template that writes no end gets one after the last completion', async () => {
  const bare = withTemplate(
    "{% for m in messages %}{{ m.role[0] ~ ': ' ~ m.content ~ '\\n' }}{% endfor %}{% if add_generation_prompt %}a: {% endif %}",
  )
  expect(await marked(bare, { messages: [user('hi'), assistant('hello')] })).toBe('u: hi\na: «hello\n<|end|>»')
})

test('the tokens before the first completion are exactly those that generation is given', async () => {
  const prompts = [[user('hi there')], [user('a'), assistant('b'), user('c')], [user('ends in space ')]]
  for (const template of ['turns', 'headers', 'strict'])
    for (const prompt of prompts) {
      const tokenizer = withTemplate(templates[template]!)
      const given = await tokenizePrompt(tokenizer, prompt)
      const row = await tokenizeDemonstration(tokenizer, { prompt, completion: ' so\n' })
      if ('reason' in row) throw new Error(row.reason)
      const start = row.isScored.indexOf(1)
      expect([...row.tokens.subarray(0, start)]).toEqual([...given])
      expect(row.tokens.at(-1)).toBe(tokenizer.eosId)
    }
  expect(await tokenizePrompt(plain, 'as it is')).toEqual(plain.encode('as it is'))
})

test('a row that gives no sequence says why', async () => {
  expect(await marked(turns, { messages: [user('hi')] })).toContain('reason: has no assistant turn')
  expect(
    await marked(withTemplate(templates['strict']!), { messages: [user('a'), user('b'), assistant('c')] }),
  ).toContain('reason: the chat template refuses these messages: Conversation roles must alternate')
  const forgetful = withTemplate('{% for m in messages[-1:] %}{{ m.content }}{% endfor %}')
  expect(await marked(forgetful, { messages: [user('a'), assistant('b')] })).toContain('changes earlier turns')
  const long = await tokenizeDemonstration(plain, { prompt: 'abc', completion: 'def' }, { maxTokens: 3 })
  expect(long).toEqual({ reason: expect.stringMatching(/^has \d+ tokens, more than the 3 allowed/) as string })
})

test('messages without a template, and a broken template, are DataErrors of the folder', async () => {
  await expect(tokenizeDemonstration(plain, { messages: [user('a'), assistant('b')] })).rejects.toThrow(
    'has no chat template; add chat_template.jinja',
  )
  await expect(
    tokenizeDemonstration(withTemplate('{% if %}'), { prompt: [user('a')], completion: 'b' }),
  ).rejects.toThrow(DataError)
  await expect(tokenizePrompt(withTemplate(templates['strict']!), [user('a'), user('b')])).rejects.toThrow(DataError)
})
