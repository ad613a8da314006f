// Where the boxes of a lineage stand: every line goes right, and no two boxes share a place.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { layers } from './lineage-layers.ts'

test('in any graph without circles every edge goes right and every box has a place of its own', () => {
  const graphs = fc.integer({ min: 1, max: 30 }).chain((count) =>
    fc.array(fc.tuple(fc.nat(count - 1), fc.nat(count - 1)), { maxLength: 60 }).map((pairs) => ({
      nodes: Array.from({ length: count }, (_, i) => ({ id: String(i) })),
      edges: pairs.flatMap(([a, b]) => (a === b ? [] : [{ from: String(Math.min(a, b)), to: String(Math.max(a, b)) }])),
    })),
  )
  fc.assert(
    fc.property(graphs, ({ nodes, edges }) => {
      const placed = layers(nodes, edges)
      expect(placed).toHaveLength(nodes.length)
      expect(new Set(placed.map(({ column, row }) => `${column} ${row}`)).size).toBe(nodes.length)
      const columnOf = new Map(placed.map(({ node, column }) => [node.id, column]))
      for (const { from, to } of edges) expect(columnOf.get(from)!).toBeLessThan(columnOf.get(to)!)
    }),
  )
})

test('a circle, which no honest record makes, does not hang the page', () => {
  const nodes = ['a', 'b', 'c'].map((id) => ({ id }))
  const edges = [
    { from: 'a', to: 'b' },
    { from: 'b', to: 'c' },
    { from: 'c', to: 'a' },
  ]
  expect(layers(nodes, edges)).toHaveLength(3)
})
