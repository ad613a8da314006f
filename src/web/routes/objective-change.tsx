// What a version of the objective changed: field by field against the version before it, words against words.
import type { Objective } from '#schema'
import { useGet } from '../api.ts'
import { Loading, Problem } from '../parts.tsx'
import { Changes } from '../write/changes.tsx'
import { targetInWords } from './words.ts'

const KEY = 'GET /api/projects/{project}/objective/versions/{number}'

/** Of version `number` against the one before it; there is one. */
export function ObjectiveChange({ slug, number }: { slug: string; number: number }) {
  const after = useGet(KEY, { params: { project: slug, number: String(number) } })
  const before = useGet(KEY, { params: { project: slug, number: String(number - 1) } })
  if (after.isError) return <Problem error={after.error} />
  if (before.isError) return <Problem error={before.error} />
  if (!after.data || !before.data) return <Loading />
  const label = `Changes of version ${number}`
  return <ChangedFields before={before.data.objective} after={after.data.objective} label={label} />
}

export function ChangedFields({ before, after, label }: { before: Objective; after: Objective; label: string }) {
  const rows = changesBetween(before, after)
  if (rows.length === 0) return <p className="soft">No field changed.</p>
  return (
    <dl className="changed-fields" aria-label={label}>
      {rows.map(([field, old, now]) => (
        <div key={field}>
          <dt>{field}</dt>
          <dd>
            <Changes before={old} after={now} />
          </dd>
        </div>
      ))}
    </dl>
  )
}

/** Field, what it said, what it says; criteria are the same where their names are. */
function changesBetween(before: Objective, after: Objective): [string, string, string][] {
  const [old, now] = [fieldsOf(before), fieldsOf(after)]
  const names = [...new Set([...now.keys(), ...old.keys()])]
  return names
    .map((name): [string, string, string] => [name, old.get(name) ?? '', now.get(name) ?? ''])
    .filter(([, one, other]) => one !== other)
}

/** Every field in words, by what it is called. */
function fieldsOf({ name, version, summary, criteria }: Objective): Map<string, string> {
  const fields = new Map([
    ['name', name],
    ['label', version],
    ['summary', summary],
    ['order of criteria', criteria.map((criterion) => criterion.name).join(' · ')],
  ])
  for (const { name: of, scale, constraint, targets, weight, ...texts } of criteria) {
    for (const [field, text] of Object.entries(texts)) fields.set(`${of}: ${field}`, text)
    fields.set(`${of}: weight`, String(weight))
    fields.set(`${of}: scale`, `${scale.low} to ${scale.high}`)
    fields.set(`${of}: hard constraint`, constraint ? 'yes' : 'no')
    fields.set(`${of}: targets`, targets.map(targetInWords).join(' '))
  }
  return fields
}
