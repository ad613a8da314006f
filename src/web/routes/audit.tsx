// What was changed in the project, by whom, when; newest first.
import { useState } from 'react'
import { addressOf, useGet } from '../api.ts'
import { Empty, Loading, Problem, Time } from '../parts.tsx'
import { useMe } from '../who.ts'
import { useProject } from './project.tsx'

export function AuditScreen() {
  const { slug } = useProject()
  const me = useMe()
  const [before, setBefore] = useState<number>()
  const audit = useGet('GET /api/projects/{project}/audit', { params: { project: slug }, query: { before } })
  return (
    <main id="content" className="page">
      <h1>Audit</h1>
      {me.isAdministrator && <Chain />}
      {audit.isPending && <Loading />}
      {audit.isError && <Problem error={audit.error} />}
      {audit.data?.entries.length === 0 && <Empty title="No entry" />}
      {audit.data && audit.data.entries.length > 0 && (
        <>
          <div className="scrolls">
            <table>
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">Who</th>
                  <th scope="col">What</th>
                  <th scope="col">Of</th>
                </tr>
              </thead>
              <tbody>
                {audit.data.entries.map(({ id, at, actor, action, subject, detail }) => (
                  <tr key={id}>
                    <td className="nowrap">
                      <Time at={at} />
                    </td>
                    <td>{actor ?? 'hone'}</td>
                    <td>{action}</td>
                    <td className="mono">
                      {subject}
                      {Object.entries(detail).map(([key, value]) => (
                        <span key={key} className="soft">{` ${key}: ${String(value)}`}</span>
                      ))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {audit.data.entries.length === 100 && (
            <button type="button" onClick={() => setBefore(audit.data.entries.at(-1)!.id)}>
              Older
            </button>
          )}
        </>
      )}
    </main>
  )
}

function Chain() {
  const verdict = useGet('GET /api/audit/verdict')
  if (!verdict.data) return <Problem error={verdict.error} />
  const { rows, head, brokenAt, because } = verdict.data
  return (
    <p className={brokenAt === undefined ? 'soft' : 'problem'}>
      {brokenAt === undefined
        ? `The chain of all ${rows.toLocaleString('en')} entries of this installation holds; its head is ${head.slice(0, 16)}. `
        : `The chain is broken at entry ${brokenAt}: ${because}. `}
      <a href={addressOf('GET /api/audit')} download>
        Export all
      </a>
    </p>
  )
}
