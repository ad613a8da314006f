// A choice among datasets, and what to say where there is none to choose from.
import { Link } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Field } from '../parts.tsx'

export function DatasetField({
  label,
  hint,
  name,
  datasets,
}: {
  label: string
  hint?: string
  name: string
  datasets: readonly { name: string; rows: number }[]
}) {
  return (
    <Field label={label} {...(hint !== undefined && { hint })}>
      {(attributes) => (
        <select {...attributes} name={name}>
          {datasets.map((dataset) => (
            <option key={dataset.name} value={dataset.name}>
              {dataset.name} ({dataset.rows.toLocaleString('en')})
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** `children`: what is to be imported. */
export function ImportFirst({ slug, children }: { slug: string; children: ReactNode }) {
  return (
    <p className="panel">
      <span>
        First import {children}, under{' '}
        <Link to="/p/$project/datasets" params={{ project: slug }}>
          Datasets
        </Link>
        .
      </span>
    </p>
  )
}
