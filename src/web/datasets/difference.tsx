// How a version differs from another of the same dataset: rows added, removed, and changed word by word.
import type { ReactNode } from 'react'
import type { AnswerOf } from '#server/contract'
import { Field, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { Changes } from '../write/changes.tsx'
import { inWords, RowFields } from './row.tsx'
import { useExamined, Working } from './examined.tsx'
import type { Versions } from './versions.tsx'

const KEY = 'GET /api/projects/{project}/datasets/{dataset}/difference'
type Difference = Extract<AnswerOf<typeof KEY>, { state: 'done' }>

export function DifferenceOf({
  params,
  versions,
  version,
  before,
  choose,
}: {
  params: { project: string; dataset: string }
  versions: Versions
  version: string
  before: string | undefined
  choose: (before: string) => void
}) {
  const others = versions.filter((each) => each.version !== version)
  const place = versions.findIndex((each) => each.version === version)
  const than = before ?? (versions[place + 1] ?? others[0])?.version
  if (than === undefined)
    return (
      <section aria-labelledby="difference">
        <h2 id="difference">Difference</h2>
        <p className="soft">There is one version only: nothing to hold it against.</p>
      </section>
    )
  return (
    <section aria-labelledby="difference">
      <h2 id="difference">Difference</h2>
      <div className="row">
        <Field label="Against" hint="What this version has that the other has not is added.">
          {(attributes) => (
            <select {...attributes} value={than} onChange={(event) => choose(event.target.value)}>
              {others.map(({ version: hash, created, origin }, i) => (
                <option key={i} value={hash}>
                  {`${hash.slice(0, 12)}, ${created.slice(0, 10)}, ${origin}`}
                </option>
              ))}
            </select>
          )}
        </Field>
      </div>
      <Shown params={params} before={than} after={version} />
    </section>
  )
}

function Shown({
  params,
  before,
  after,
}: {
  params: { project: string; dataset: string }
  before: string
  after: string
}) {
  const asked = useExamined(KEY, { params, query: { before, after } })
  if (asked.isError) return <Problem error={asked.error} />
  if (asked.data?.state !== 'done') return <Working>Comparing row by row…</Working>
  return <Parts {...asked.data} />
}

function Parts({ added, removed, changed, same, isReordered, rows }: Difference) {
  return (
    <>
      <p>
        <b>{added.toLocaleString('en')}</b> added, <b>{removed.toLocaleString('en')}</b> removed,{' '}
        <b>{changed.toLocaleString('en')}</b> changed, {same.toLocaleString('en')} the same.{' '}
        {isReordered && 'Only the order of the rows differs.'}
      </p>
      <Part title="Changed" count={changed} shown={rows.changed.length}>
        {rows.changed.map(({ name, fields }) => (
          <li key={name}>
            <p className="mono soft">{name}</p>
            {fields.map(({ field, before, after }) => (
              <div key={field}>
                <p className="soft">{field}</p>
                <Changes before={inWords(before)} after={inWords(after)} />
              </div>
            ))}
          </li>
        ))}
      </Part>
      <Part title="Added" count={added} shown={rows.added.length}>
        {rows.added.map((row, i) => (
          <li key={i} className="is-added">
            <RowFields row={row} />
          </li>
        ))}
      </Part>
      <Part title="Removed" count={removed} shown={rows.removed.length}>
        {rows.removed.map((row, i) => (
          <li key={i} className="is-removed">
            <RowFields row={row} />
          </li>
        ))}
      </Part>
    </>
  )
}

function Part({ title, count, shown, children }: { title: string; count: number; shown: number; children: ReactNode }) {
  if (count === 0) return null
  return (
    <section aria-label={title}>
      <h3>
        {title}: {many(count, 'row')}
        {shown < count && <span className="soft">, the first {shown}</span>}
      </h3>
      <ul className="rows">{children}</ul>
    </section>
  )
}
