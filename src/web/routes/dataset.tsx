// One dataset: its versions, and of the chosen one the rows, how it differs, and what can be asked of it.
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { useGet } from '../api.ts'
import { Checks } from '../datasets/checks.tsx'
import { CoverageOf } from '../datasets/coverage.tsx'
import { DifferenceOf } from '../datasets/difference.tsx'
import { Rows } from '../datasets/rows.tsx'
import { Split } from '../datasets/split.tsx'
import { VersionsOf } from '../datasets/versions.tsx'
import { Loading, Problem } from '../parts.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

const VIEWS = {
  rows: 'Rows',
  difference: 'Difference',
  checks: 'Checks',
  split: 'Split',
  coverage: 'Coverage',
} as const
type View = keyof typeof VIEWS
/** What is shown is in the address: it can be sent to somebody. */
type Search = { view?: View | undefined; version?: string | undefined; before?: string | undefined }

export function datasetSearch(given: Record<string, unknown>): Search {
  const hash = (name: string): string | undefined => {
    const value = given[name]
    return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined
  }
  const view = (Object.keys(VIEWS) as View[]).find((each) => each === given.view)
  return { view, version: hash('version'), before: hash('before') }
}

const FROM = '/signed-in/p/$project/datasets/$dataset'

export function DatasetScreen() {
  const { slug, role } = useProject()
  const { dataset } = useParams({ from: FROM })
  const search = useSearch({ from: FROM })
  const navigate = useNavigate({ from: '/p/$project/datasets/$dataset' })
  const params = { project: slug, dataset }
  const asked = useGet('GET /api/projects/{project}/datasets/{dataset}/versions', { params })
  if (asked.isPending) return <Loading />
  if (asked.isError)
    return (
      <main id="content" className="page">
        <h1>{dataset}</h1>
        <Problem error={asked.error} />
      </main>
    )
  const { kind, versions } = asked.data
  const version = search.version ?? versions[0]!.version
  const view = search.view ?? 'rows'
  const isKeeper = ['owner', 'lead', 'engineer'].includes(role)
  return (
    <main id="content" className="page">
      <h1>{dataset}</h1>
      <p className="soft">
        {kind}, {many(versions.length, 'version')}.{' '}
        <Link to="/p/$project/datasets" params={{ project: slug }}>
          All datasets
        </Link>
      </p>
      <VersionsOf params={params} versions={versions} chosen={version} />
      <nav className="views" aria-label={`Version ${version.slice(0, 12)}`}>
        {(Object.keys(VIEWS) as View[]).map((each) => (
          <Link
            key={each}
            to="/p/$project/datasets/$dataset"
            params={params}
            search={(old) => ({ ...old, view: each })}
            {...(each === view && { 'aria-current': 'page' })}
          >
            {VIEWS[each]}
          </Link>
        ))}
      </nav>
      {view === 'rows' && <Rows key={version} params={params} version={version} isKeeper={isKeeper} />}
      {view === 'difference' && (
        <DifferenceOf
          params={params}
          versions={versions}
          version={version}
          before={search.before}
          choose={(before) => void navigate({ search: (old) => ({ ...old, before }) })}
        />
      )}
      {view === 'checks' && (
        <Checks
          key={version}
          params={params}
          version={version}
          isKeeper={isKeeper}
          onKept={(made) => void navigate({ search: { view: 'difference', version: made } })}
        />
      )}
      {view === 'coverage' && <CoverageOf key={version} params={params} version={version} />}
      {view === 'split' && <Split key={version} params={params} version={version} isKeeper={isKeeper} />}
    </main>
  )
}
