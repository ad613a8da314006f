// What becomes of markdown, formulas and hostile texts: elements of a list, and every word that was there.
import * as fc from 'fast-check'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { PAYLOADS } from '../../../trials/worlds/payloads.ts'
import { Formula } from './formula.tsx'
import { Markdown } from './markdown.tsx'

const rendered = (text: string) => renderToStaticMarkup(createElement(Markdown, { text }))
const formula = (source: string, isBlock = false) => renderToStaticMarkup(createElement(Formula, { source, isBlock }))

const ALLOWED =
  /^(div|p|h[3-6]|pre|code|blockquote|ul|ol|li|table|thead|tbody|tr|th|td|hr|br|strong|em|s|a|span|math|m[a-z]+)$/
const ATTRIBUTE = /^(class|href|rel|target|title|tabindex|start|display|[a-z]+)$/
/** Elements and addresses of a page, from its own markup, in which text is escaped. */
function whatIs(markup: string): { elements: string[]; attributes: string[]; addresses: string[] } {
  const tags = [...markup.matchAll(/<([a-z0-9]+)((?:\s[\w:-]+(?:="[^"]*")?)*)\/?>/g)]
  const attributes = tags.flatMap(([, , all]) => [...all!.matchAll(/\s([\w:-]+)(?:="([^"]*)")?/g)])
  return {
    elements: tags.map(([, name]) => name!),
    attributes: attributes.map(([, name]) => name!),
    addresses: attributes.filter(([, name]) => name === 'href' || name === 'src').map(([, , value]) => value!),
  }
}

test('headings, lists, tables, code and prices come out as they are meant', () => {
  const markup = rendered(
    '# Hi\n\ncosts $20 and $30, *so* **be** it\nnext\n\n3. c\n4. d\n\n| a | b |\n|---|:-:|\n| 1 | `x<y` |\n\n```ts\nlet x = "<b>"\n```\n\n> said\n\n- [x] done',
  )
  expect(markup).toContain('<h3>Hi</h3>')
  expect(markup).toContain('costs $20 and $30, <em>so</em> <strong>be</strong> it<br/>next')
  expect(markup).toContain('<ol class="tight" start="3"><li>c</li><li>d</li></ol>')
  expect(markup).toContain('<td class="cell-center"><code>x&lt;y</code></td>')
  expect(markup).toContain('<span class="code-language">ts</span><code>let x = &quot;&lt;b&gt;&quot;</code>')
  expect(markup).toContain('<blockquote><p>said</p></blockquote>')
  expect(markup).toContain('☑ done')
})

test('links lead to http and https alone; images, HTML and what is only defined are shown as they are written', () => {
  const markup = rendered(
    '[a](https://a.example/x "t") [b](javascript:alert(1)) [c](//b.example) [d](data:text/html,x)\n![pixel](https://a.example/p.png) <b>bold</b>\n\n[e]: https://hidden.example',
  )
  expect(whatIs(markup).addresses).toEqual(['https://a.example/x'])
  expect(markup).toContain('rel="noopener noreferrer nofollow"')
  for (const text of ['[b](javascript:alert(1))', '![pixel](https://a.example/p.png)', '&lt;b&gt;', 'hidden.example'])
    expect(markup).toContain(text)
  expect(whatIs(markup).elements).not.toContain('img')
})

test('formulas are MathML without style, link or action; what is no formula is its source', () => {
  expect(formula('\\frac{a}{b_1}', true)).toBe(
    '<span class="formula-block"><math class="formula" display="block"><mfrac><mi>a</mi><msub><mi>b</mi><mn>1</mn></msub></mfrac></math></span>',
  )
  for (const source of [
    '\\href{javascript:alert(1)}{x}',
    '\\includegraphics{http://a.example/x.png}',
    '\\nonsense',
    '}{',
  ])
    expect(formula(source)).toContain('<code class="as-written">')
  expect(formula('\\textcolor{red}{x}')).not.toMatch(/style|href/)
  // A formula that asks for itself without end.
  expect(formula('\\def\\a{\\a\\a}\\a')).toContain('<code class="as-written">')
})

test('no hostile text becomes anything but text', () => {
  const seen = new Set<string>()
  for (const text of PAYLOADS)
    for (const written of [
      text,
      `$${text}$`,
      `[x](${text})`,
      `![${text}](${text})`,
      `\`\`\`${text}\n${text}\n\`\`\``,
    ]) {
      const markup = `${rendered(written)}${formula(written)}`
      const { elements, attributes, addresses } = whatIs(markup)
      for (const name of elements) {
        expect(name).toMatch(ALLOWED)
        seen.add(name)
      }
      for (const name of attributes) expect(name).toMatch(ATTRIBUTE)
      expect(attributes.filter((name) => name.startsWith('on') || name === 'style' || name === 'src')).toEqual([])
      for (const address of addresses) expect(address).toMatch(/^https?:\/\//)
    }
  expect(seen.size).toBeGreaterThan(4)
})

test('every word of any text is shown', () => {
  const piece = fc.constantFrom(
    'word',
    '*',
    '_',
    '`',
    '# ',
    '\n',
    '\n\n',
    '- ',
    '1. ',
    '> ',
    '[x](',
    ')',
    '<i>',
    '|',
    '$',
    '\\(',
    '~~',
    '    ',
    '\n|word|\n|-|\n|',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const words = pieces.join('').split('word').length - 1
      const shown =
        rendered(pieces.join(''))
          .replaceAll(/<[^>]*>/g, '')
          .match(/word/g)?.length ?? 0
      expect(shown).toBe(words)
    }),
    { seed: 3, numRuns: 300 },
  )
})

test('what is too long or too deep to be formatted is shown as it is written', () => {
  const deep = `${'> '.repeat(9000)}end`
  for (const text of [`${'a '.repeat(11_000)}end`, deep]) {
    expect(rendered(text)).toContain('shown as it is written')
    expect(rendered(text)).toContain('end</p>')
  }
})
