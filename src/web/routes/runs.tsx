// Runs: what is running, what waits for whom, what came out; and a new one.
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { Empty, Loading, Problem } from '../parts.tsx'
import { figure } from '../runs/line-chart.tsx'
import { words } from '../runs/curve-settings.tsx'
import { StartForm } from '../runs/start-form.tsx'
import { MOST_COMPARED } from './compare-runs.tsx'
import { useProject } from './project.tsx'
import { age, many } from './words.ts'

export type Run = AnswerOf<'GET /api/projects/{project}/runs'>['runs'][number]

export function RunsScreen() {
  const { slug, role } = useProject()
  const { again } = useSearch({ from: '/signed-in/p/$project/runs' })
  const navigate = useNavigate()
  const [isOpen, setOpen] = useState(again !== undefined)
  const leave = (): void => {
    setOpen(false)
    void navigate({ to: '/p/$project/runs', params: { project: slug }, search: {} })
  }
  const [ticked, setTicked] = useState<string[]>([])
  const runs = useGet('GET /api/projects/{project}/runs', { params: { project: slug } }, { refetchInterval: 2000 })
  return (
    <main id="content" className="page">
      <h1>Runs</h1>
      {mayStart(role) &&
        (isOpen ? (
          <StartForm key={again} slug={slug} again={again} onLeave={leave} />
        ) : (
          <button type="button" className="primary" onClick={() => setOpen(true)}>
            New run
          </button>
        ))}
      {runs.isPending && <Loading />}
      {runs.isError && <Problem error={runs.error} />}
      {runs.data?.runs.length === 0 && (
        <Empty title="No run yet">
          <p>
            A run trains a model: fine-tuning on demonstrations, a reward model on judgements, then RL under a KL
            budget.
          </p>
        </Empty>
      )}
      {runs.data && runs.data.runs.length > 1 && <Compare slug={slug} ticked={ticked} />}
      <ul className="runs">
        {runs.data?.runs.map((run) => (
          <li key={run.run}>
            <label className="tick">
              <input
                type="checkbox"
                aria-label={`Compare ${run.run}`}
                checked={ticked.includes(run.run)}
                disabled={!ticked.includes(run.run) && ticked.length === MOST_COMPARED}
                onChange={({ target }) =>
                  setTicked(target.checked ? [...ticked, run.run] : ticked.filter((name) => name !== run.run))
                }
              />
            </label>
            <Link to="/p/$project/runs/$run" params={{ project: slug, run: run.run }} className="card run-card">
              <span className="run-name">
                <strong>{run.run}</strong> <span className="soft">{run.recipe}</span>
              </span>
              <RunState run={run} />
              <span className="run-step">
                {run.step !== null && (
                  <>
                    step {run.step.toLocaleString('en')}
                    {run.of !== null && ` of ${run.of.toLocaleString('en')}`}
                  </>
                )}
              </span>
              <span className="run-figures">
                {run.figures.slice(0, 2).map(({ name, value }) => (
                  <span key={name}>
                    {words(name)} <b>{figure(value)}</b>{' '}
                  </span>
                ))}
              </span>
              <span className="soft run-age">
                {run.by ?? 'command line'}, {age(run.madeAt)}
              </span>
              {run.waitsFor && (
                <span className="run-reason warm">
                  waits for {many(run.waitsFor.missing, 'judgement')} in {run.waitsFor.name}
                </span>
              )}
              {run.reason !== '' && !run.waitsFor && run.state !== 'done' && (
                <span className="run-reason soft">{run.reason}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </main>
  )
}

/** Leads to the charts of the runs that are ticked. */
function Compare({ slug, ticked }: { slug: string; ticked: readonly string[] }) {
  return (
    <div className="row">
      {ticked.length < 2 ? (
        <span className="soft">Tick two runs or more, up to {MOST_COMPARED}, to see them on the same charts.</span>
      ) : (
        <Link
          to="/p/$project/compare"
          params={{ project: slug }}
          search={{ runs: ticked.join(',') }}
          className="button primary"
        >
          Compare {ticked.length} runs
        </Link>
      )}
    </div>
  )
}

/** Who orders runs and speaks to the trainer. */
export function mayStart(role: string): boolean {
  return role === 'owner' || role === 'lead' || role === 'engineer'
}

export const RUN_STATES: Record<Run['state'], string> = {
  queued: 'waits for the trainer',
  running: 'running',
  waiting: 'waits for people',
  paused: 'paused',
  stopped: 'stopped',
  failed: 'failed',
  done: 'done',
  'broken-off': 'broken off',
}

export function RunState({ run: { state, wish, isSimulated } }: { run: Run }) {
  return (
    <span className="run-state">
      <span className={`chip is-${state}`}>{RUN_STATES[state]}</span>
      {wish !== null && <span className="soft"> will {wish}</span>}
      {isSimulated && <span className="warm"> simulated annotators</span>}
    </span>
  )
}
