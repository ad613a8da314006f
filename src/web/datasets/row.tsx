// A row of a dataset as people read it: what was asked first, turns as a conversation, bookkeeping last.

export type Row = Record<string, unknown>

const FIRST = ['id', 'item', 'stratum', 'group', 'messages', 'prompt', 'completion', 'chosen', 'rejected', 'a', 'b']
const THEN = ['left', 'right', 'choice', 'strength', 'reason']
/** Rows are stored with their fields in alphabetical order. */
const ORDER = [...FIRST, ...THEN]

export function RowFields({ row }: { row: Row }) {
  return (
    <dl>
      {inReadingOrder(row).map(([field, value]) => (
        <div key={field}>
          <dt>{field}</dt>
          <dd className="text">{inWords(value)}</dd>
        </div>
      ))}
    </dl>
  )
}

/** A value of a row as text. */
export function inWords(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.length > 0 && value.every(isTurn))
    return value.map(({ role, content }) => `${role}: ${content}`).join('\n')
  return JSON.stringify(value)
}

function isTurn(value: unknown): value is { role: string; content: string } {
  return typeof value === 'object' && value !== null && 'role' in value && 'content' in value
}

function inReadingOrder(row: Row): [string, unknown][] {
  const place = (field: string): number => (ORDER.includes(field) ? ORDER.indexOf(field) : ORDER.length)
  return Object.entries(row).sort(([x], [y]) => place(x) - place(y))
}
