// The versions of a dataset: newest first, what each came of, and which one the page shows.
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { Time } from '../parts.tsx'

export type Versions = AnswerOf<'GET /api/projects/{project}/datasets/{dataset}/versions'>['versions']

export function VersionsOf({
  params,
  versions,
  chosen,
}: {
  params: { project: string; dataset: string }
  versions: Versions
  chosen: string
}) {
  return (
    <section aria-labelledby="versions">
      <h2 id="versions">Versions</h2>
      <div className="scrolls versions">
        <table>
          <thead>
            <tr>
              <th scope="col">Version</th>
              <th scope="col">Rows</th>
              <th scope="col">Made</th>
              <th scope="col">By</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {versions.map(({ version, rows, created, origin, parents }, i) => (
              <tr key={i} className={version === chosen ? 'is-chosen' : undefined}>
                <th scope="row">
                  <Link
                    to="/p/$project/datasets/$dataset"
                    params={params}
                    search={(old) => ({ ...old, version, before: undefined })}
                    className="mono"
                    {...(version === chosen && { 'aria-current': 'true' })}
                  >
                    {version.slice(0, 12)}
                  </Link>
                </th>
                <td>{rows.toLocaleString('en')}</td>
                <td>
                  <Time at={created} />
                </td>
                <td>{origin}</td>
                <td>
                  {parents.length === 0 && <span className="soft">–</span>}
                  {parents.map((parent) => (
                    <Parent key={parent.version} project={params.project} {...parent} />
                  ))}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Parent({ project, version, name }: { project: string; version: string; name: string | null }) {
  const short = version.slice(0, 12)
  if (name === null)
    return (
      <Link to="/p/$project/lineage" params={{ project }} search={{ id: version }} className="mono block">
        {short}
      </Link>
    )
  return (
    <Link to="/p/$project/datasets/$dataset" params={{ project, dataset: name }} search={{ version }} className="block">
      {name} <span className="mono">{short}</span>
    </Link>
  )
}
