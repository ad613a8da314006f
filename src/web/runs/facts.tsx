// What a run is made of: the line that began it, its inputs by hash, every setting; and the end of what its process said.
import { useEffect, useRef } from 'react'
import type { AnswerOf } from '#server/contract'
import { words } from './curve-settings.tsx'
import { textOf } from './fields.tsx'

type Run = AnswerOf<'GET /api/projects/{project}/runs/{run}'>

/** Every setting that a run was begun with, by its name. */
export function settingsOf({ config }: Pick<Run, 'config'>): [string, unknown][] {
  const { config: settings, ...rest } = config as { config?: Record<string, unknown> } & Record<string, unknown>
  return Object.entries({ ...rest, ...settings }).filter(([, value]) => value !== undefined && value !== null)
}

export function Facts({ run }: { run: Run }) {
  const rows = settingsOf(run)
  return (
    <details className="fold">
      <summary>Config and inputs</summary>
      <p>
        <code className="mono command">{run.command}</code>
      </p>
      {run.inputs.length > 0 && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Input</th>
                <th scope="col">What</th>
                <th scope="col">SHA-256</th>
              </tr>
            </thead>
            <tbody>
              {run.inputs.map(({ role, name, hash }) => (
                <tr key={role}>
                  <th scope="row">{words(role)}</th>
                  <td>{name}</td>
                  <td className="mono">{hash.slice(0, 12)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <dl className="facts">
        {rows.map(([name, value]) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd className="mono">{textOf(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  )
}

export function Log({ lines }: { lines: readonly string[] }) {
  const box = useRef<HTMLPreElement>(null)
  // Follows the end, unless the reader went up.
  const isAtEnd = useRef(true)
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight
  }, [lines])
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <pre
        className="log"
        ref={box}
        tabIndex={0}
        aria-label="Log"
        onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) =>
          (isAtEnd.current = scrollHeight - scrollTop - clientHeight < 30)
        }
      >
        {lines.join('\n')}
      </pre>
    </section>
  )
}
