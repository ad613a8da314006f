// Markdown as React elements, one for each kind of token, and so never as HTML: markup in a text stays text, an image is named
// and not loaded, a link leads to http and https alone. What is not known is shown as it is written; nothing is left out.
import { Fragment, lazy, type ReactNode, Suspense, useMemo } from 'react'
import type { Tokens } from 'marked'
import { type FormulaToken, parseMarkdown, type Token } from './parse.ts'

const Formula = lazy(() => import('./formula.tsx').then((file) => ({ default: file.Formula })))

/** Deeper ones are shown as they are written. */
const DEEPEST = 24

export function Markdown({ text }: { text: string }) {
  const tokens = useMemo(() => parseMarkdown(text), [text])
  if (!tokens)
    return (
      <>
        <p className="soft small">Too long or too deeply nested to be formatted; shown as it is written.</p>
        <p className="text">{text}</p>
      </>
    )
  return <div className="markdown">{shown(tokens, 0)}</div>
}

function shown(tokens: readonly Token[] | undefined, depth: number): ReactNode {
  return tokens?.map((token, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: tokens of one text, in its order
    <Fragment key={i}>
      {depth > DEEPEST ? token.raw : (blockOf(token, depth + 1) ?? inlineOf(token, depth + 1))}
    </Fragment>
  ))
}

function blockOf(token: Token, depth: number): ReactNode {
  const within = (): ReactNode => shown((token as Tokens.Generic).tokens, depth)
  switch (token.type) {
    case 'space':
      return <></>
    case 'paragraph':
      return <p>{within()}</p>
    case 'heading': {
      const Heading = HEADINGS[Math.min((token as Tokens.Heading).depth, HEADINGS.length) - 1]!
      return <Heading>{within()}</Heading>
    }
    case 'code':
      return <Code {...(token as Tokens.Code)} />
    case 'blockquote':
      return <blockquote>{within()}</blockquote>
    case 'list':
      return <List list={token as Tokens.List} depth={depth} />
    case 'table':
      return <Table table={token as Tokens.Table} depth={depth} />
    case 'hr':
      return <hr />
    case 'def':
      return <p>{token.raw}</p>
    default:
      return undefined
  }
}

/** A text stands below the headings of its page. */
const HEADINGS = ['h3', 'h4', 'h5', 'h6'] as const

function inlineOf(token: Token, depth: number): ReactNode {
  const within = (): ReactNode => shown((token as Tokens.Generic).tokens, depth)
  switch (token.type) {
    case 'text':
      return (token as Tokens.Text).tokens ? within() : (token as Tokens.Text).text
    case 'escape':
      return (token as Tokens.Escape).text
    case 'strong':
      return <strong>{within()}</strong>
    case 'em':
      return <em>{within()}</em>
    case 'del':
      return <s>{within()}</s>
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>
    case 'br':
      return <br />
    case 'checkbox':
      return (token as Tokens.Checkbox).checked ? '☑ ' : '☐ '
    case 'link':
      return <Outward {...(token as Tokens.Link)}>{within()}</Outward>
    case 'formula': {
      const { source, isBlock } = token as unknown as FormulaToken
      return (
        <Suspense fallback={<code>{source}</code>}>
          <Formula source={source} isBlock={isBlock} />
        </Suspense>
      )
    }
    default:
      // Images, HTML, and whatever a later version of the parser tells apart.
      return <span className="as-written">{token.raw}</span>
  }
}

function Code({ text, lang }: Tokens.Code) {
  return (
    // Long lines scroll, by the keyboard too.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <pre tabIndex={0}>
      {lang !== undefined && lang !== '' && <span className="code-language">{lang}</span>}
      <code>{text}</code>
    </pre>
  )
}

function List({ list: { ordered, start, items, loose }, depth }: { list: Tokens.List; depth: number }) {
  const rows = items.map((item, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: items of one text, in its order
    <li key={i}>{shown(item.tokens, depth)}</li>
  ))
  const className = loose ? 'loose' : 'tight'
  return ordered ? (
    <ol className={className} start={start === '' ? 1 : start}>
      {rows}
    </ol>
  ) : (
    <ul className={className}>{rows}</ul>
  )
}

function Table({ table: { header, rows, align, raw }, depth }: { table: Tokens.Table; depth: number }) {
  // The language drops what a row has more than the first one.
  if (bare(raw) !== bare([header, ...rows].flatMap((row) => row.map(({ text }) => text)).join('')))
    return <p className="as-written">{raw}</p>
  const cells = (row: readonly Tokens.TableCell[], Cell: 'th' | 'td') =>
    row.map(({ tokens }, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: cells of one row, in its order
      <Cell key={i} className={`cell-${align[i] ?? 'left'}`}>
        {shown(tokens, depth)}
      </Cell>
    ))
  return (
    <div className="table-frame">
      <table>
        <thead>
          <tr>{cells(header, 'th')}</tr>
        </thead>
        <tbody>
          {rows.map((row, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: rows of one table, in its order
            <tr key={i}>{cells(row, 'td')}</tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** Without what draws the lines of a table. */
function bare(text: string): string {
  return text.replaceAll(/[\s|:\\-]/g, '')
}

/** A link that may be followed, with where it leads; any other address is shown as it is written. */
function Outward({ href, title, raw, children }: Tokens.Link & { children?: ReactNode }) {
  if (!/^https?:\/\//i.test(href) || !URL.canParse(href)) return <span className="as-written">{raw}</span>
  return (
    <a href={href} rel="noopener noreferrer nofollow" target="_blank" title={title ? `${title}, ${href}` : href}>
      {children}
    </a>
  )
}
