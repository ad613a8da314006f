// Several people's answers to one pair as dots on the line of nine places, four steps left to four steps right; what is no
// preference stands apart on the right. The words stand beside it, so that for a screen reader it is one picture.
import { LINE, type Choice, OFF_LINE, wordsOf } from './annotate/answer.ts'

type Answer = { person: string; choice: Choice; strength: number | null }

const STEP = 30
const DOT = 13
const GAP = 24

export function AnswerLine({ answers }: { answers: readonly Answer[] }) {
  const places = [...LINE, ...OFF_LINE]
  const columns = places.map((place) =>
    answers.filter(({ choice, strength }) => choice === place.choice && (place.strength ?? null) === strength),
  )
  const most = Math.max(1, ...columns.map(({ length }) => length))
  const height = most * (DOT + 3) + 26
  const ground = height - 20
  const xOf = (i: number): number => 20 + i * STEP + (i >= LINE.length ? GAP : 0)
  const width = xOf(places.length - 1) + 20
  const words = answers.map(({ person, choice, strength }) => `${person}: ${wordsOf(choice, strength)}`).join('; ')
  return (
    <svg
      className="answer-line"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={`${answers.length} answers. ${words}`}
      style={{ maxWidth: width * 1.4 }}
    >
      <line className="axis" x1="8" x2={xOf(LINE.length - 1) + 12} y1={ground} y2={ground} />
      <line className="axis" x1={xOf(LINE.length) - 12} x2={width - 8} y1={ground} y2={ground} />
      {places.map((place, i) => (
        <g key={place.key}>
          <line className="axis" x1={xOf(i)} x2={xOf(i)} y1={ground} y2={ground + 4} />
          {columns[i]!.map((answer, k) => (
            <circle
              key={answer.person}
              className={place.choice}
              cx={xOf(i)}
              cy={ground - 9 - k * (DOT + 3)}
              r={DOT / 2}
            >
              <title>{`${answer.person}: ${place.label}`}</title>
            </circle>
          ))}
        </g>
      ))}
      <text x="8" y={height - 3}>
        left
      </text>
      <text x={xOf(4)} y={height - 3} textAnchor="middle">
        even
      </text>
      <text x={xOf(8) + 12} y={height - 3} textAnchor="end">
        right
      </text>
      <text x={xOf(9)} y={height - 3} textAnchor="middle">
        bad
      </text>
      <text x={xOf(10)} y={height - 3} textAnchor="middle">
        ?
      </text>
    </svg>
  )
}
