// Places for the boxes of a graph: a column further right than everything it came from, rows near those it hangs on.

export type Placed<N> = { node: N; column: number; row: number }

/** Columns by the longest way from a beginning, so that every edge goes right; rows by the mean place of what is before. */
export function layers<N extends { id: string }>(
  nodes: readonly N[],
  edges: readonly { from: string; to: string }[],
): Placed<N>[] {
  const before = new Map<string, string[]>()
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from])
  const columns = new Map<string, number>()
  const columnOf = (id: string, seen: ReadonlySet<string>): number => {
    const known = columns.get(id)
    if (known !== undefined) return known
    // Whatever came from itself would have no place; it gets one beside what it came from.
    const own = (before.get(id) ?? []).filter((from) => !seen.has(from))
    const column = Math.max(-1, ...own.map((from) => columnOf(from, new Set([...seen, id])))) + 1
    columns.set(id, column)
    return column
  }
  for (const { id } of nodes) columnOf(id, new Set([id]))
  // A beginning stands just before the first thing that was made of it.
  const after = new Map<string, string[]>()
  for (const { from, to } of edges) after.set(from, [...(after.get(from) ?? []), to])
  for (const { id } of nodes) {
    const made = after.get(id) ?? []
    if ((before.get(id) ?? []).length === 0 && made.length > 0)
      columns.set(id, Math.max(0, Math.min(...made.map((to) => columns.get(to) ?? 0)) - 1))
  }
  const rows = new Map<string, number>()
  const placed: Placed<N>[] = []
  const most = Math.max(0, ...columns.values())
  for (let column = 0; column <= most; column++) {
    const own = nodes.filter(({ id }) => columns.get(id) === column)
    const middle = (id: string): number => {
      const from = (before.get(id) ?? []).flatMap((other) => rows.get(other) ?? [])
      return from.length === 0 ? 0 : from.reduce((sum, row) => sum + row, 0) / from.length
    }
    const sorted = own.map((node) => ({ node, middle: middle(node.id) })).sort((a, b) => a.middle - b.middle)
    for (const [row, { node }] of sorted.entries()) {
      rows.set(node.id, row)
      placed.push({ node, column, row })
    }
  }
  return placed
}
