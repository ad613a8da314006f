// Keeping what people gave as a version of a dataset: one form, whatever they gave.
import type { FormEvent, ReactNode } from 'react'
import { Field, Problem, textsOf } from '../parts.tsx'
import { many } from './words.ts'

/** `keep`: the write, as it stands; `what`: one row of what is kept; `children`: what follows once it is. */
export function KeepForm<Kept extends { isNew: boolean; rows: number; name: string; version: string }>({
  label,
  hint,
  suggested,
  what,
  keep,
  onKeep,
  children,
}: {
  label: string
  hint: string
  suggested: string
  what: string
  keep: { isPending: boolean; error: Error | null; data: Kept | undefined }
  onKeep: (dataset: string) => void
  children: (kept: Kept) => ReactNode
}) {
  const submit = (event: FormEvent<HTMLFormElement>): void => onKeep(textsOf(event)('dataset'))
  return (
    <section className="panel" aria-label="Keep as a dataset">
      <form onSubmit={submit} className="row">
        <Field label={label} hint={hint}>
          {(attributes) => (
            <input
              {...attributes}
              name="dataset"
              required
              pattern="[a-z0-9][a-z0-9_\-]{0,39}"
              defaultValue={suggested}
            />
          )}
        </Field>
        <button type="submit" disabled={keep.isPending}>
          Keep
        </button>
      </form>
      <Problem error={keep.error} />
      {keep.data && (
        <p role="status">
          {keep.data.isNew ? 'Kept' : 'Already kept:'} {many(keep.data.rows, what)} as{' '}
          <span className="mono">{`${keep.data.name}@${keep.data.version.slice(0, 12)}`}</span>
          {children(keep.data)}
        </p>
      )}
    </section>
  )
}
