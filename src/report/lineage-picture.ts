// The lineage graph drawn in layers from top to bottom: a node lies above everything made of it. Long edges pass through
// empty places of the layers between, so that no edge runs behind a box; two sweeps order each layer by its neighbours.
import type { LineageReport } from '#schema'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { place } from './charts/svg.ts'

type Node = LineageReport['nodes'][number]
type Slot = { id: string; node: Node | undefined; layer: number; above: Slot[]; below: Slot[]; x: number }

const BOX = { width: 158, height: 46 }
const GAP_X = 16
const GAP_Y = 34
const PASSAGE = 24
const MOST_LABEL = 22

export function lineagePicture(lineage: LineageReport): Markup {
  const layers = layered(lineage)
  const widths = layers.map((l) => l.reduce((sum, s) => sum + widthOf(s) + GAP_X, -GAP_X))
  const width = Math.max(BOX.width, ...widths) + 4
  for (const [i, layer] of layers.entries()) {
    let left = (width - widths[i]!) / 2
    for (const slot of layer) {
      slot.x = left + widthOf(slot) / 2
      left += widthOf(slot) + GAP_X
    }
  }
  const height = layers.length * (BOX.height + GAP_Y) - GAP_Y + 4
  const onTrail = new Set(trail(lineage).map((n) => n.id))
  const slots = layers.flat()
  const edges = slots.filter((s) => s.node).flatMap((s) => s.below.map((b) => edge(s, b, onTrail)))
  const boxes = slots.flatMap((s) => (s.node ? [box(s, { node: s.node, lineage, onTrail })] : []))
  const describe = `Lineage in ${layers.length} layers from ${layers[0]?.[0]?.node?.kind ?? 'nothing'} to checkpoint ${lineage.checkpoint}; the same as a list below.`
  return html`<svg class="lineage-svg" viewBox="0 0 ${Math.ceil(width)} ${height}" width="${Math.ceil(width)}" height="${height}" role="img" aria-label="${describe}" xmlns="http://www.w3.org/2000/svg">${edges}${boxes}</svg>`
}

/** Shortest way down from a judgement (else from any source) to the checkpoint; the checkpoint alone if there is none. */
export function trail(lineage: LineageReport): Node[] {
  const byId = new Map(lineage.nodes.map((n) => [n.id, n]))
  const start = byId.get(lineage.checkpoint)
  if (!start) return []
  const next = new Map<string, string>()
  const queue = [start.id]
  const seen = new Set(queue)
  let found: string | undefined
  for (let id = queue.shift(); id !== undefined && !found; id = queue.shift()) {
    if (byId.get(id)?.kind === 'judgement') found = id
    for (const e of lineage.edges) {
      if (e.to !== id || seen.has(e.from) || !byId.has(e.from)) continue
      seen.add(e.from)
      next.set(e.from, id)
      queue.push(e.from)
    }
  }
  const path: Node[] = []
  for (let id: string | undefined = found ?? start.id; id !== undefined; id = next.get(id)) path.push(byId.get(id)!)
  return path
}

function layered({ nodes, edges }: LineageReport): Slot[][] {
  const byId = new Map<string, Slot>(
    nodes.map((node) => [node.id, { id: node.id, node, layer: 0, above: [], below: [], x: 0 }]),
  )
  const known = edges.flatMap((e) => {
    const from = byId.get(e.from)
    const to = byId.get(e.to)
    return from && to && from !== to ? [{ from, to }] : []
  })
  // Layers count up from what nothing was made of; as many rounds as nodes, so a cycle ends too.
  for (let round = 0, isMoving = true; isMoving && round < nodes.length; round++) {
    isMoving = false
    for (const { from, to } of known)
      if (from.layer < to.layer + 1) {
        from.layer = Math.min(nodes.length, to.layer + 1)
        isMoving = true
      }
  }
  const depth = Math.max(0, ...[...byId.values()].map((s) => s.layer))
  const layers: Slot[][] = Array.from({ length: depth + 1 }, () => [])
  for (const slot of byId.values()) {
    slot.layer = depth - slot.layer
    layers[slot.layer]!.push(slot)
  }
  for (const { from, to } of known) {
    let last = from
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      const passage: Slot = { id: `${from.id} ${to.id}`, node: undefined, layer, above: [last], below: [], x: 0 }
      last.below.push(passage)
      layers[layer]!.push(passage)
      last = passage
    }
    last.below.push(to)
    to.above.push(last)
  }
  const filled = layers.filter((l) => l.length > 0)
  for (let sweep = 0; sweep < 2; sweep++) {
    for (const layer of filled) order(layer, 'above')
    for (const layer of [...filled].reverse()) order(layer, 'below')
  }
  return filled
}

function order(layer: Slot[], side: 'above' | 'below'): void {
  for (const slot of layer) {
    const near = slot[side]
    if (near.length > 0) slot.x = near.reduce((sum, s) => sum + s.x, 0) / near.length
  }
  layer.sort((a, b) => a.x - b.x)
  for (const [i, slot] of layer.entries()) slot.x = i - (layer.length - 1) / 2
}

function widthOf(slot: Slot): number {
  return slot.node ? BOX.width : PASSAGE
}

function topOf(slot: Slot): number {
  return 2 + slot.layer * (BOX.height + GAP_Y)
}

/** From a box down through its passages to the next box. */
function edge(from: Slot, first: Slot, onTrail: Set<string>): Markup {
  let d = `M${place(from.x)} ${topOf(from) + BOX.height}`
  let at = from
  let next: Slot | undefined = first
  while (next) {
    const y0 = topOf(at) + BOX.height
    const y1 = topOf(next)
    const middle = (y0 + y1) / 2
    d += `C${place(at.x)} ${middle} ${place(next.x)} ${middle} ${place(next.x)} ${y1}`
    if (next.node) break
    d += `V${topOf(next) + BOX.height}`
    at = next
    next = next.below[0]
  }
  const isOn = onTrail.has(from.id) && next !== undefined && onTrail.has(next.id)
  return html`<path class="${isOn ? 'lineage-edge on-path' : 'lineage-edge'}" d="${d}"/>`
}

function box(
  slot: Slot,
  { node, lineage, onTrail }: { node: Node; lineage: LineageReport; onTrail: Set<string> },
): Markup {
  const classes = [
    'lineage-node',
    onTrail.has(node.id) && 'on-path',
    node.id === lineage.checkpoint && 'is-checkpoint',
  ].filter(Boolean)
  const x = slot.x - BOX.width / 2
  const y = topOf(slot)
  return html`<g class="${classes.join(' ')}"><rect x="${place(x)}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="7"/><text class="kind" x="${place(slot.x)}" y="${y + 17}" text-anchor="middle">${cut(node.kind)}</text><text class="label" x="${place(slot.x)}" y="${y + 34}" text-anchor="middle">${cut(node.label)}</text><title>${node.kind}: ${node.label}${node.detail && ` \u2013 ${node.detail}`}</title></g>`
}

function cut(text: string): string {
  return text.length > MOST_LABEL ? `${text.slice(0, MOST_LABEL - 1)}\u2026` : text
}
