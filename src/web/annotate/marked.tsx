// A text as it is written, with the stretches that somebody marked; where marks overlap, each says all of its reasons.
import type { Mark } from './pair.tsx'

export function Marked({ text, marks }: { text: string; marks: readonly Mark[] }) {
  return (
    <p className="text">
      {cut(text, marks).map(({ start, piece, over }) =>
        over.length === 0 ? (
          <span key={start}>{piece}</span>
        ) : (
          <mark
            key={start}
            title={over.map(({ reason, by }) => (by === undefined ? reason : `${by}: ${reason}`)).join('\n')}
          >
            {piece}
          </mark>
        ),
      )}
    </p>
  )
}

/** The text in pieces, cut wherever a mark begins or ends, each with the marks over it. */
export function cut<M extends { start: number; end: number }>(
  text: string,
  marks: readonly M[],
): { start: number; piece: string; over: M[] }[] {
  const cuts = [...new Set([0, text.length, ...marks.flatMap(({ start, end }) => [start, end])])].sort((x, y) => x - y)
  return cuts.slice(0, -1).map((start, i) => ({
    start,
    piece: text.slice(start, cuts[i + 1]),
    over: marks.filter((mark) => mark.start <= start && mark.end >= cuts[i + 1]!),
  }))
}
