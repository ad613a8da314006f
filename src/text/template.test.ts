import fs from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DataError } from '#errors'
import type { Message } from '#schema'
import { type ChatTemplate, closeTemplates, renderChat, tryRender } from './template.ts'

afterAll(closeTemplates)

const GOLDENS = join(import.meta.dirname, 'goldens')
const read = (name: string) => JSON.parse(fs.readFileSync(join(GOLDENS, name), 'utf8')) as unknown
const { templates, conversations } = read('inputs.json') as {
  templates: Record<string, string>
  conversations: Message[][]
}
const { rendered } = read('expected.json') as { rendered: Record<string, (string | null)[][]> }

const of = (text: string): ChatTemplate => ({
  text,
  file: 'chat_template.jinja',
  variables: { bos_token: '<|begin|>', eos_token: '<|end|>' },
})
const hello: Message[] = [{ role: 'user', content: 'hello' }]
const asked = { addGenerationPrompt: true }

test.each(Object.keys(templates))('conversations are rendered, or refused, as transformers does: %s', async (name) => {
  const template = of(templates[name]!)
  for (const [i, conversation] of conversations.entries())
    for (const addGenerationPrompt of [false, true]) {
      const expected = rendered[name]![i]![Number(addGenerationPrompt)]
      const got = await tryRender(template, conversation, { addGenerationPrompt })
      expect('text' in got ? got.text : null, `conversation ${i}`).toBe(expected)
    }
})

const BOMBS: [name: string, text: string, said: RegExp][] = [
  [
    'loops in loops',
    nest('{% for i in range(100000) %}', 3, 'x = {{ i }}', '{% endfor %}'),
    /did not end within 2 s|memory/,
  ],
  [
    'loops that give nothing',
    nest('{% for i in range(3000) %}', 4, '', '{% endfor %}'),
    /did not end within 2 s|memory/,
  ],
  ['a long range', '{{ range(1000000000000) }}', /memory|did not end|refuses/],
  ['doubling text', doubling('"x"', 'ns.s + ns.s'), /memory|did not end|refuses/],
  ['doubling a list', doubling('[1]', 'ns.s + ns.s'), /memory|did not end|refuses/],
  ['a macro that calls itself', '{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}', /refuses/],
  [
    'a macro that calls itself twice',
    '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}',
    /did not end within 2 s|memory/,
  ],
  ['brackets without end', `{{ ${'('.repeat(100_000)} }}`, /cannot be parsed/],
  ['an open block', '{% for m in messages %}{{ m.content }}', /cannot be parsed/],
  ['more than a megabyte', 'x'.repeat(1_000_001), /at most 1000000 characters/],
  [
    'more output than any prompt',
    '{% for i in range(9) %}{{ x }}{% endfor %}'.replace('{{ x }}', 'y'.repeat(999_000)),
    /gave more than/,
  ],
  ['reaching for the process', "{{ ''.constructor.constructor('return process')().exit() }}", /refuses/],
  ['a long join', "{{ range(3000000) | join('a long separator') }}", /memory|did not end|gave more than/],
]

test.each(
  BOMBS,
)('a template that is a bomb is one DataError, and the next render is well: %s', async (_, text, said) => {
  const failing = expect(renderChat(of(text), hello, asked)).rejects
  await failing.toThrow(DataError)
  await failing.toThrow(said)
  await failing.toThrow(/^chat_template\.jinja: /)
  expect(await renderChat(of('{{ messages[0].content }}'), hello, asked)).toBe('hello')
})

test('renders asked for at the same time are answered in order, and one bomb among them hurts nobody', async () => {
  const template = of('{{ messages[0].content }}')
  const say = (content: string) => renderChat(template, [{ role: 'user', content }], asked)
  const bomb = renderChat(of(BOMBS[0]![1]), hello, asked)
  const all = await Promise.allSettled([say('a'), bomb, say('b'), say('c')])
  expect(all.map((r) => (r.status === 'fulfilled' ? r.value : 'failed'))).toEqual(['a', 'failed', 'b', 'c'])
})

test('a template sees nothing of the environment', async () => {
  expect(await renderChat(of('{{ process.env.PATH }}{{ globalThis }}{{ require }}'), hello, asked)).toBe('')
  expect(await renderChat(of("{{ 'yes' if process is defined else 'no' }}"), hello, asked)).toBe('no')
})

function nest(open: string, times: number, inner: string, close: string): string {
  return open.repeat(times) + inner + close.repeat(times)
}

function doubling(start: string, step: string): string {
  return `{% set ns = namespace(s=${start}) %}{% for i in range(60) %}{% set ns.s = ${step} %}{% endfor %}{{ ns.s | length }}`
}
