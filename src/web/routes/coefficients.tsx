// Coefficients of agreement: shares from 0 to 1, and those beyond chance, which may lie below 0, where chance is marked.
import { IntervalBar } from '../interval-bar.tsx'

type Range = { value: number; low: number; high: number }
type Coefficient = {
  label: string
  /** Null: not defined. */
  of: Range | null | undefined
  isShare?: boolean
  /** Said where there is none. */
  absent?: string
}

export function CoefficientBar({
  label,
  of,
  isShare = false,
  absent = 'not defined',
  isNumbered = false,
}: Coefficient & { isNumbered?: boolean }) {
  if (!of) return <span className="soft">{absent}</span>
  const scale = isShare ? { from: 0 } : { from: -0.2, mark: 0 }
  return <IntervalBar {...of} {...scale} to={1} label={label} isNumbered={isNumbered} />
}

/** `means`: what it tells. */
export function CoefficientRow({ means, ...coefficient }: Coefficient & { means?: string }) {
  const { label, of } = coefficient
  return (
    <tr>
      <th scope="row">
        {label}
        {means !== undefined && <span className="soft block">{means}</span>}
      </th>
      <td className="figure">{of?.value.toFixed(2) ?? '–'}</td>
      <td>
        <CoefficientBar {...coefficient} />
        {of && (
          <span className="soft block">
            {of.low.toFixed(2)} to {of.high.toFixed(2)}
          </span>
        )}
      </td>
    </tr>
  )
}
