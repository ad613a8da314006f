// A question with a few answers as one group of radio buttons: digits pick, and each shows its key.
import { type Question, SCALES, type Value } from '#schema'

export type Option<V> = { key: string; value: V; label: string }

/** Of a question that is not answered in words. */
export function optionsOf(question: Exclude<Question, { type: 'text' }>): Option<Value>[] {
  const keyed = (values: readonly Value[], labelOf: (value: Value, i: number) => string): Option<Value>[] =>
    values.map((value, i) => ({ key: String(i + 1), value, label: labelOf(value, i) }))
  if (question.type === 'boolean') return keyed([true, false], (value) => (value === true ? 'Yes' : 'No'))
  if (question.type === 'category') return keyed(question.options, String)
  return keyed(
    Array.from({ length: SCALES[question.type] }, (_, i) => i + 1),
    String,
  )
}

export function Choices<V>({
  name,
  legend,
  hint,
  options,
  value,
  isOff,
  onPick,
}: {
  /** Of the group. */
  name: string
  legend: string
  hint?: string
  options: readonly Option<V>[]
  value: V | undefined
  isOff: boolean
  onPick: (value: V) => void
}) {
  return (
    <fieldset className="scale choices">
      <legend className="asked">
        {legend}
        {hint !== undefined && <span className="soft block">{hint}</span>}
      </legend>
      <div className="off-line">
        {options.map((option) => (
          <label key={option.key} className="off" data-chosen={option.value === value}>
            <input
              type="radio"
              name={name}
              checked={option.value === value}
              disabled={isOff}
              onChange={() => onPick(option.value)}
              aria-keyshortcuts={option.key}
              aria-label={option.label}
            />
            {option.label !== option.key && option.label} <kbd>{option.key}</kbd>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
