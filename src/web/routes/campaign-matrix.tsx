// Who agrees with whom: a square of shares, each filled as far as two people agree, its interval on hover, and the number of
// pairs they share.
import type { AnswerOf } from '#server/contract'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

export function Matrix({ matrix, people }: Pick<Campaign, 'matrix' | 'people'>) {
  if (matrix.length === 0) return null
  const cellOf = (one: string, other: string) =>
    matrix.find(({ first, second }) => (first === one && second === other) || (first === other && second === one))
  return (
    <section aria-labelledby="matrix">
      <h2 id="matrix">Who agrees with whom</h2>
      <p className="soft">Share of the pairs that two people both judged on which they say the same, and how many.</p>
      <div className="scrolls">
        <table className="matrix">
          <thead>
            <tr>
              <td />
              {people.map(({ user, name }) => (
                <th key={user} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {people.map((row) => (
              <tr key={row.user}>
                <th scope="row">{row.name}</th>
                {people.map((column) => {
                  const cell = row.user === column.user ? undefined : cellOf(row.user, column.user)
                  return cell ? (
                    <td
                      key={column.user}
                      style={{ '--share': `${(100 * cell.value).toFixed(0)}%` } as React.CSSProperties}
                      title={`${row.name} and ${column.name}: ${cell.value.toFixed(2)}, 95% interval ${cell.low.toFixed(2)} to ${cell.high.toFixed(2)}, ${cell.n} pairs`}
                    >
                      <b>{cell.value.toFixed(2)}</b> <span className="small">{cell.n}</span>
                    </td>
                  ) : (
                    <td key={column.user} className="none">
                      {row.user === column.user ? '' : '–'}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}
