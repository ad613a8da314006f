// The rows of a version, fifty at a time, and the version as a file.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { addressOf, useGet } from '../api.ts'
import { Loading, Problem } from '../parts.tsx'
import { RowFields } from './row.tsx'

const ROWS_AT_ONCE = 50
const FORMATS = [
  { format: 'jsonl', label: 'JSONL' },
  { format: 'csv', label: 'CSV' },
  { format: 'parquet', label: 'Parquet' },
] as const

export function Rows({
  params,
  version,
  isKeeper,
}: {
  params: { project: string; dataset: string }
  version: string
  isKeeper: boolean
}) {
  const [from, setFrom] = useState(0)
  const key = 'GET /api/projects/{project}/datasets/{dataset}/rows'
  const rows = useGet(key, { params, query: { version, from } })
  if (rows.isPending) return <Loading />
  if (rows.isError) return <Problem error={rows.error} />
  const all = rows.data.version.rows
  const end = from + rows.data.rows.length
  return (
    <section aria-labelledby="rows">
      <h2 id="rows">
        Rows {from + 1} to {end} of {all.toLocaleString('en')}
      </h2>
      <p className="row">
        {isKeeper &&
          FORMATS.map(({ format, label }) => (
            <a
              key={format}
              className="button"
              download
              href={addressOf('GET /api/projects/{project}/datasets/{dataset}/file', {
                params,
                query: { version, format },
              })}
            >
              Download {label}
            </a>
          ))}
        <Link to="/p/$project/lineage" params={{ project: params.project }} search={{ id: version }}>
          What it came from, and what rests on it
        </Link>
      </p>
      <ol className="rows" start={from + 1}>
        {rows.data.rows.map((row, i) => (
          <li key={from + i}>
            <RowFields row={row} />
          </li>
        ))}
      </ol>
      {all > ROWS_AT_ONCE && (
        <div className="row">
          <button type="button" disabled={from === 0} onClick={() => setFrom(Math.max(0, from - ROWS_AT_ONCE))}>
            Before
          </button>
          <button type="button" disabled={end >= all} onClick={() => setFrom(end)}>
            After
          </button>
        </div>
      )}
    </section>
  )
}
