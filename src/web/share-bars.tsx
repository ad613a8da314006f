// A distribution over classes as bars; where there is another to hold it against, such as all others', as ticks beside it. Numbers on hover and in the table that it is.
export function ShareBars({
  title,
  labels,
  own,
  others = [],
}: {
  title: string
  labels: readonly string[]
  own: readonly number[]
  others?: readonly number[]
}) {
  const [ownAll, othersAll] = [own, others].map((counts) =>
    Math.max(
      1,
      counts.reduce((x, y) => x + y, 0),
    ),
  ) as [number, number]
  const shown = labels
    .map((label, i) => ({ label, count: own[i]!, mine: own[i]! / ownAll, theirs: (others[i] ?? 0) / othersAll }))
    .filter(({ mine, theirs }) => mine + theirs > 0)
  const most = Math.max(0.01, ...shown.flatMap(({ mine, theirs }) => [mine, theirs]))
  const percent = (share: number): string => `${(100 * share).toFixed(0)}%`
  return (
    <table className="shares">
      <caption>{title}</caption>
      <thead className="unseen">
        <tr>
          <th scope="col">Answer</th>
          <th scope="col">Share</th>
          {others.length > 0 && <th scope="col">Others</th>}
        </tr>
      </thead>
      <tbody>
        {shown.map(({ label, mine, theirs, count }) => (
          <tr key={label}>
            <th scope="row">{label}</th>
            <td>
              <svg viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
                <title>{`${label}: ${count}, ${percent(mine)}${others.length > 0 ? `; others ${percent(theirs)}` : ''}`}</title>
                <rect className="mine" x="0" y="2" height="8" width={(100 * mine) / most} />
                {others.length > 0 && (
                  <line
                    className="theirs"
                    x1={(100 * theirs) / most}
                    x2={(100 * theirs) / most}
                    y1="0"
                    y2="12"
                    vectorEffect="non-scaling-stroke"
                  />
                )}
              </svg>
              <span className="figure">{percent(mine)}</span>
            </td>
            {others.length > 0 && <td className="soft">{percent(theirs)}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
