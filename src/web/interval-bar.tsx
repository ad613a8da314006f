// A value with its interval on a scale, the number on hover and for screen readers.
export function IntervalBar({
  value,
  low,
  high,
  from,
  to,
  mark,
  label,
  isNumbered = false,
}: {
  value: number
  low: number
  high: number
  from: number
  to: number
  /** Where a rule stands: chance, no lean. */
  mark?: number | undefined
  label: string
  isNumbered?: boolean
}) {
  const at = (x: number): number => ((Math.min(to, Math.max(from, x)) - from) / (to - from)) * 100
  const words = `${label}: ${value.toFixed(2)}, 95% interval ${low.toFixed(2)} to ${high.toFixed(2)}`
  return (
    <span className="interval">
      <svg viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label={words}>
        <title>{words}</title>
        <line className="interval-scale" x1="0" x2="100" y1="6" y2="6" vectorEffect="non-scaling-stroke" />
        {mark !== undefined && (
          <line
            className="interval-mark"
            x1={at(mark)}
            x2={at(mark)}
            y1="0"
            y2="12"
            vectorEffect="non-scaling-stroke"
          />
        )}
        <line className="interval-range" x1={at(low)} x2={at(high)} y1="6" y2="6" vectorEffect="non-scaling-stroke" />
        <line
          className="interval-value"
          x1={at(value)}
          x2={at(value)}
          y1="1"
          y2="11"
          vectorEffect="non-scaling-stroke"
        />
      </svg>
      {isNumbered && <span className="figure">{value.toFixed(2)}</span>}
    </span>
  )
}
