// Versions of the guideline, chosen by their numbers.
import { Field } from '../parts.tsx'

/** Draws a field in which one of the versions is chosen. */
export function versionPicker(numbers: readonly number[]) {
  return (label: string, value: number, set: (number: number) => void) => (
    <Field label={label}>
      {(attributes) => (
        <select {...attributes} value={value} onChange={(event) => set(Number(event.target.value))}>
          {numbers.map((number) => (
            <option key={number} value={number}>
              version {number}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}
