// LaTeX as MathML, which browsers set themselves: no font, no style, no request. Temml builds the tree; elements and attributes
// of a list are made of it, so that neither a link nor an action in a formula comes through. What is no formula is shown as
// it is written. A file of its own: Temml is large and most texts have no formula.
import { createElement, type ReactNode, useMemo } from 'react'
import temml, { type Options } from 'temml'

const ELEMENTS = new Set(
  (
    'math mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover mmultiscripts ' +
    'mprescripts none mtable mtr mtd mpadded mphantom mstyle menclose'
  ).split(' '),
)
const ATTRIBUTES = new Set(
  (
    'display displaystyle scriptlevel mathvariant stretchy fence separator form lspace rspace width height depth voffset ' +
    'linethickness accent accentunder columnalign columnspacing rowspacing minsize maxsize symmetric largeop ' +
    'movablelimits notation rowspan columnspan'
  ).split(' '),
)
/** Its types name what it exports otherwise than it does; a test holds the tree of the version that the lock names. */
const { __renderToMathMLTree: treeOf } = temml as unknown as {
  __renderToMathMLTree: (source: string, options: Options) => Node
}
/** Longer ones are programs. */
const MOST_CHARACTERS = 4000

export function Formula({ source, isBlock }: { source: string; isBlock: boolean }) {
  const formula = useMemo(() => mathOf(source, isBlock), [source, isBlock])
  if (formula === undefined) return <code className="as-written">{source}</code>
  return isBlock ? <span className="formula-block">{formula}</span> : formula
}

type Node = { type?: string; text?: string; attributes?: Record<string, unknown>; children?: Node[] }

/** Undefined: it is not LaTeX that Temml knows, or asks for more than text may. */
export function mathOf(source: string, isBlock: boolean): ReactNode {
  if (source.length > MOST_CHARACTERS) return undefined
  try {
    const tree = treeOf(source, {
      displayMode: isBlock,
      throwOnError: true,
      trust: false,
      maxExpand: 200,
      maxSize: [20, 20],
    })
    return elementOf(tree, 0)
  } catch {
    return undefined
  }
}

function elementOf(node: Node, key: number): ReactNode {
  if (node.type === undefined && node.text === undefined) return (node.children ?? []).map(elementOf)
  if (node.type === undefined || !ELEMENTS.has(node.type)) {
    if (node.text !== undefined) return node.text
    throw new Error(`${node.type} is no element of a formula`)
  }
  const attributes = Object.entries(node.attributes ?? {}).filter(([name]) => ATTRIBUTES.has(name))
  const own = node.type === 'math' ? { className: 'formula' } : {}
  return createElement(
    node.type,
    { key, ...own, ...Object.fromEntries(attributes) },
    ...(node.children ?? []).map(elementOf),
  )
}
