// Ratings of several models as dots with their intervals: as judged above, with style controlled below, on one scale with a rule
// at 0, their mean. Numbers stand beside them, and on hover.
import type { AnswerOf } from '#server/contract'

type Figure = AnswerOf<'GET /api/projects/{project}/evaluations'>['files'][number]['figures'][number]
type Row = { name: string; judged: Figure; controlled: Figure }

/** One chart of all things considered, and one of each criterion that was asked about; nothing where there are no ratings. */
export function RatingCharts({ figures }: { figures: Figure[] }) {
  return chartsOf(figures).map(({ criterion, rows }) => (
    <RatingChart key={criterion} criterion={criterion} rows={rows} />
  ))
}

function RatingChart({ criterion, rows }: { criterion: string; rows: Row[] }) {
  const ends = rows.flatMap(({ judged, controlled }) => [judged, controlled].flatMap(({ low, high }) => [low!, high!]))
  const reach = Math.max(...ends.map(Math.abs)) * 1.04
  const at = (x: number): number => 50 + (50 * x) / reach
  return (
    <table className="ratings">
      <caption>
        Ratings{criterion !== '' && ` by ${criterion}`}, logits: <span className="key judged">as judged</span>{' '}
        <span className="key controlled">style controlled</span>
      </caption>
      <tbody>
        {rows.map(({ name, judged, controlled }) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td className="plot">
              <svg viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">
                <line className="zero" x1="50" x2="50" y1="0" y2="30" vectorEffect="non-scaling-stroke" />
                <Dot figure={judged} at={at} y={10} kind="judged" />
                <Dot figure={controlled} at={at} y={21} kind="controlled" />
              </svg>
            </td>
            <td className="numbers">
              <span>
                <span className="unseen">as judged </span>
                {words(judged)}
              </span>
              <span>
                <span className="unseen">style controlled </span>
                {words(controlled)}
              </span>
            </td>
          </tr>
        ))}
        <tr className="axis" aria-hidden="true">
          <td />
          <td>
            <span>
              <span>{(-reach).toFixed(1)}</span>
              <span>0</span>
              <span>{reach.toFixed(1)}</span>
            </span>
          </td>
          <td />
        </tr>
      </tbody>
    </table>
  )
}

function Dot({ figure, at, y, kind }: { figure: Figure; at: (x: number) => number; y: number; kind: string }) {
  const { value, low, high } = figure
  return (
    <g className={kind}>
      <title>{`${kind === 'judged' ? 'as judged' : 'style controlled'}: ${words(figure)}`}</title>
      <line className="range" x1={at(low!)} x2={at(high!)} y1={y} y2={y} vectorEffect="non-scaling-stroke" />
      {/* A line of no length with round ends is a dot, however the picture is stretched. */}
      <line className="dot" x1={at(value)} x2={at(value)} y1={y} y2={y} vectorEffect="non-scaling-stroke" />
    </g>
  )
}

function words({ value, low, high }: Figure): string {
  return `${value.toFixed(2)} [${low!.toFixed(2)}, ${high!.toFixed(2)}]`
}

const RATING = /^(?:(.+)\.)?ratings\.([\w-]+)$/

function chartsOf(figures: Figure[]): { criterion: string; rows: Row[] }[] {
  const byName = new Map(figures.map((figure) => [figure.name, figure]))
  const charts = new Map<string, Row[]>()
  for (const judged of figures) {
    const [, part, name] = RATING.exec(judged.name) ?? []
    const criterion = part ?? ''
    const controlled = byName.get(`${criterion === '' ? '' : `${criterion}.`}controlled.ratings.${name}`)
    if (
      name === undefined ||
      !controlled ||
      [judged, controlled].some(({ low, high }) => low === null || high === null)
    )
      continue
    charts.set(criterion, [...(charts.get(criterion) ?? []), { name, judged, controlled }])
  }
  return [...charts].map(([criterion, rows]) => ({ criterion, rows }))
}
