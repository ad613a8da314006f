// Small parts that several screens use: fields, what is loading or went wrong, a link to copy.
import { type FormEvent, type ReactNode, useId, useState } from 'react'

export function Field({
  label,
  hint,
  problem,
  children,
}: {
  label: string
  hint?: string
  /** What is wrong with what stands in it. */
  problem?: string | undefined
  children: (attributes: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => ReactNode
}) {
  const id = useId()
  const words = [...(hint === undefined ? [] : [`${id}-hint`]), ...(problem === undefined ? [] : [`${id}-problem`])]
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({
        id,
        ...(words.length > 0 && { 'aria-describedby': words.join(' ') }),
        ...(problem !== undefined && { 'aria-invalid': true }),
      })}
      {hint !== undefined && (
        <p className="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {problem !== undefined && (
        <p className="problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  )
}

export function Problem({ error }: { error: Error | null }) {
  if (!error) return null
  return (
    <p className="problem" role="alert">
      {error.message}
    </p>
  )
}

export function Loading() {
  return (
    <p className="loading" role="status">
      Loading…
    </p>
  )
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <h2>{title}</h2>
      {children}
    </div>
  )
}

/** A link that is shown once and handed over by the reader. */
export function HandOver({
  label,
  url,
  note,
  what = 'link',
}: {
  label: string
  url: string
  note: string
  what?: string
}) {
  const [isCopied, setCopied] = useState(false)
  return (
    <div className="hand-over" role="status">
      <Field label={label} hint={note}>
        {(attributes) => <input {...attributes} readOnly value={url} onFocus={(event) => event.target.select()} />}
      </Field>
      <button
        type="button"
        onClick={() => {
          void navigator.clipboard.writeText(url).then(() => setCopied(true))
        }}
      >
        {isCopied ? 'Copied' : `Copy ${what}`}
      </button>
    </div>
  )
}

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })

export function Time({ at }: { at: string }) {
  return <time dateTime={at}>{TIME.format(new Date(at))}</time>
}

/** `due in 3 days`, with the time itself. */
export function Due({ at }: { at: string }) {
  const hours = (Date.parse(at) - Date.now()) / 3_600_000
  const isClose = hours < 24
  return (
    <span className={isClose ? 'warm' : 'soft'}>
      {hours <= 0 ? 'was due ' : `due in ${inWords(hours)}, `}
      <Time at={at} />
    </span>
  )
}

function inWords(hours: number): string {
  const [count, unit] =
    hours < 1
      ? [Math.ceil(hours * 60), 'minute']
      : hours < 48
        ? [Math.floor(hours), 'hour']
        : [Math.floor(hours / 24), 'day']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}

/** A page before sign-in: one thing in the middle. */
export function Outside({ title, lead, children }: { title: string; lead?: string; children?: ReactNode }) {
  return (
    <main className="outside">
      <p className="brand">hone</p>
      <h1>{title}</h1>
      {lead !== undefined && <p className="lead">{lead}</p>}
      {children}
    </main>
  )
}

/** The texts of a form that is being submitted, by the names of its fields. */
export function textsOf(event: FormEvent<HTMLFormElement>): (name: string) => string {
  event.preventDefault()
  const form = new FormData(event.currentTarget)
  return (name) => {
    const value = form.get(name)
    return typeof value === 'string' ? value : ''
  }
}
