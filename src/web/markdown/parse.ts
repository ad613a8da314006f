// Text of a model as tokens of GitHub's markdown, by `marked`, with formulas as people write them to each other: $x$, $$x$$,
// \(x\), \[x\]. Only tokens are taken from the package; it never makes HTML here.
import { Marked, type Token } from 'marked'

export type { Token }
export type FormulaToken = { type: 'formula'; raw: string; source: string; isBlock: boolean }

/** Beyond it, texts are shown as they are written: the parser takes time by the square of some texts, a second for the worst of this length. */
const MOST_CHARACTERS = 20_000

// No formula is longer than 2,000 characters, so that an open bracket is not looked after to the end of the text.
const BLOCK = /^ {0,3}(?:\$\$(?<dollars>(?:\\[^]|[^\\$]){1,2000}?)\$\$|\\\[(?<brackets>[^]{1,2000}?)\\\])[ \t]*(?:\n|$)/
// As pandoc has it: no space inside the dollars and no digit after them, so that $20 and $30 are prices.
const INLINE =
  /^(?:\$\$(?<display>(?:\\[^]|[^\\$]){1,2000}?)\$\$|\$(?<dollar>(?![\s$])(?:\\[^]|[^\\$\n]){0,2000}?(?:\\[^]|[^\\$\s]))\$(?!\d)|\\\((?<round>[^]{1,2000}?)\\\)|\\\[(?<square>[^]{1,2000}?)\\\])/

const markdown = new Marked({
  gfm: true,
  // A line that a model ended is a line.
  breaks: true,
  extensions: [
    {
      name: 'formula-block',
      level: 'block',
      start: (text) => text.search(/\$\$|\\\[/),
      tokenizer: (text) => formulaOf(BLOCK.exec(text), true),
    },
    {
      name: 'formula',
      level: 'inline',
      start: (text) => text.search(/\$|\\[([]/),
      tokenizer: (text) => formulaOf(INLINE.exec(text), false),
    },
  ],
})

function formulaOf(match: RegExpExecArray | null, isBlock: boolean): FormulaToken | undefined {
  if (!match) return undefined
  const { dollars, brackets, display, dollar, round, square } = match.groups!
  const source = (dollars ?? brackets ?? display ?? dollar ?? round ?? square)!.trim()
  const isDisplay = isBlock || display !== undefined || square !== undefined
  return { type: 'formula', raw: match[0], source, isBlock: isDisplay }
}

/** Undefined: too long, or nested so deep that no parser takes it. It is then shown as it is written. */
export function parseMarkdown(text: string): Token[] | undefined {
  if (text.length > MOST_CHARACTERS) return undefined
  try {
    return markdown.lexer(text)
  } catch (error) {
    // Ten thousand quotes within each other end the stack; a text is data and may be that.
    if (error instanceof RangeError) return undefined
    throw error
  }
}
