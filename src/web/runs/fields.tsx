// Fields out of a JSON Schema: one for each property, with its sentence, its default as the hint of an empty field, and the
// server's word on it beside it. What is left empty is not sent.
import { useEffect, useId, useRef } from 'react'

export type Property = {
  type?: string
  enum?: (string | number)[]
  anyOf?: Property[]
  const?: unknown
  default?: unknown
  description?: string
  takes?: string
}
export type Schema = { properties?: Record<string, Property>; required?: string[] }

export function SchemaField({
  name,
  path,
  property,
  isRequired = false,
  options,
  now,
  value,
  problem,
}: {
  name: string
  /** Name of the form field: `settings.steps`. */
  path: string
  property: Property
  isRequired?: boolean
  /** What it may name. */
  options?: readonly string[] | undefined
  /** What holds where it is left empty, if not the default. */
  now?: unknown
  /** What it is filled in with at first. */
  value?: unknown
  problem: string | undefined
}) {
  const id = useId()
  const field = useRef<HTMLInputElement & HTMLSelectElement>(null)
  const standing = textOf(now ?? property.default)
  const attributes = {
    id,
    ref: field,
    name: path,
    required: isRequired,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-words${problem === undefined ? '' : ` ${id}-problem`}`,
  }
  const first = textOf(value)
  const known = options ?? (property.enum?.map(String) || (property.type === 'boolean' ? ['true', 'false'] : undefined))
  // A version that is not the newest of its name, say.
  const choices = known && first !== undefined && !known.includes(first) ? [first, ...known] : known
  return (
    <div className="field" data-wrong={problem !== undefined}>
      <label htmlFor={id}>{words(name)}</label>
      {choices ? (
        <select {...attributes} defaultValue={first ?? ''}>
          <option value="" disabled={isRequired}>
            {isRequired ? 'choose' : standing === undefined ? 'none' : `${standing} (as it stands)`}
          </option>
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      ) : (
        <input
          {...attributes}
          inputMode={isNumber(property) ? 'decimal' : 'text'}
          placeholder={standing ?? ''}
          defaultValue={first}
        />
      )}
      <p className="hint" id={`${id}-words`}>
        {property.description}
      </p>
      {problem !== undefined && (
        <p className="problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}

/** A setting as it is shown. */
export function textOf(value: unknown): string | undefined {
  return value === undefined || typeof value === 'string' ? value : JSON.stringify(value)
}

/** What was filled in; empty where there is no such field. */
export function textIn(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value : ''
}

/** Sends the reader to the first field that is wrong. */
export function useFirstProblem(form: React.RefObject<HTMLFormElement | null>, problems: object | undefined): void {
  useEffect(() => {
    if (!problems) return
    const wrong = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')
    const details = wrong?.closest('details')
    if (details) details.open = true
    wrong?.focus()
  }, [form, problems])
}

/** What was filled in under `part.`; numbers as numbers, so that the server can say what is wrong with them. */
export function given(
  form: FormData,
  part: string,
  { properties = {} }: Schema,
): Record<string, string | number | boolean> {
  const values: Record<string, string | number | boolean> = {}
  for (const [name, property] of Object.entries(properties)) {
    const text = form.get(`${part}.${name}`)
    if (typeof text !== 'string' || text.trim() === '') continue
    values[name] = valueOf(text.trim(), property)
  }
  return values
}

function valueOf(text: string, property: Property): string | number | boolean {
  if (isNumber(property) && Number.isFinite(Number(text))) return Number(text)
  if (property.type === 'boolean') return text === 'true'
  return text
}

function isNumber({ type, anyOf, enum: choices }: Property): boolean {
  if (choices) return false
  return type === 'number' || type === 'integer' || (anyOf?.some(isNumber) ?? false)
}

/** `learningRate` as people say it. */
export function words(name: string): string {
  const spaced = name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace('kl ', 'KL ')
  return spaced[0]!.toUpperCase() + spaced.slice(1)
}
