// A course over time with its limits: a band in which it stays by chance, the centre, and the places outside. Numbers on hover;
// for a screen reader the course as a table.
import type { AnswerOf } from '#server/contract'

type Chart = NonNullable<AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/people/{user}'>['goldChart']>

const WIDTH = 640
const HEIGHT = 160
const LEFT = 40
const BOTTOM = 20
/** Rows of the table: a course of hundreds is told by every so many. */
const MOST_ROWS = 20

export function ControlChart({ chart, label, counts }: { chart: Chart; label: string; counts: string }) {
  const { points, centre, low, high, alarms, p } = chart
  const n = points.length
  const bottom = Math.min(...low, ...points)
  const top = Math.max(...high, ...points)
  const x = (i: number): number => LEFT + ((i + 0.5) / n) * (WIDTH - LEFT - 8)
  const y = (value: number): number => 8 + (1 - (value - bottom) / (top - bottom || 1)) * (HEIGHT - BOTTOM - 8)
  const path = (values: readonly number[]): string => values.map((value, i) => `${x(i)},${y(value)}`).join(' ')
  const band = `${path(high)} ${high.map((_, i) => `${x(n - 1 - i)},${y(low[n - 1 - i]!)}`).join(' ')}`
  const outside = new Set(alarms)
  const told =
    alarms.length === 0
      ? 'stays within what chance brings'
      : `falls below its limits from ${counts} ${alarms[0]! + 1} on`
  const every = Math.ceil(n / MOST_ROWS)
  return (
    <figure className="chart">
      <figcaption>
        {label}: {told} <span className="soft">(p {p < 0.001 ? 'below 0.001' : p.toFixed(3)})</span>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={`${label}, ${n} values: ${told}`}>
        <polygon className="band" points={band} />
        <line className="centre" x1={LEFT} x2={WIDTH - 8} y1={y(centre)} y2={y(centre)} />
        <polyline className="course" points={path(points)} />
        {[top, centre, bottom].map((value, i) => (
          <text key={`${i}`} x={LEFT - 6} y={y(value) + 4} textAnchor="end">
            {value.toFixed(2)}
          </text>
        ))}
        <text x={LEFT} y={HEIGHT - 4}>
          1
        </text>
        <text x={WIDTH - 8} y={HEIGHT - 4} textAnchor="end">
          {n}
        </text>
        {points.map((point, i) => (
          <g key={`${i}`} className="spot">
            <rect x={x(i) - (WIDTH - LEFT) / n / 2} y="0" width={(WIDTH - LEFT) / n} height={HEIGHT - BOTTOM}>
              <title>{`${counts} ${i + 1}: ${point.toFixed(2)}, limits ${low[i]!.toFixed(2)} to ${high[i]!.toFixed(2)}`}</title>
            </rect>
            {(outside.has(i) || n <= 60) && (
              <circle className={outside.has(i) ? 'alarm' : 'point'} cx={x(i)} cy={y(point)} r="3" />
            )}
          </g>
        ))}
      </svg>
      <div className="unseen">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              <th scope="col">{counts}</th>
              <th scope="col">moving average</th>
              <th scope="col">lower limit</th>
            </tr>
          </thead>
          <tbody>
            {points.flatMap((point, i) =>
              i % every === every - 1 || i === n - 1
                ? [
                    <tr key={`${i}`}>
                      <th scope="row">{i + 1}</th>
                      <td>{point.toFixed(2)}</td>
                      <td>{low[i]!.toFixed(2)}</td>
                    </tr>,
                  ]
                : [],
            )}
          </tbody>
        </table>
      </div>
    </figure>
  )
}
