// What can be done about something that rests on withdrawn answers: trained again at once, ordered by a form that is filled in,
// or what a sentence says; and which run has taken its place.
import { Link, useNavigate } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Problem } from '../parts.tsx'
import { RUN_STATES } from './runs.tsx'

type Again = NonNullable<AnswerOf<'GET /api/projects/{project}/runs/{run}/again'>['again']>
type Run = AnswerOf<'GET /api/projects/{project}/runs/{run}'>

export function AgainWords({ slug, again }: { slug: string; again: Again }) {
  const params = { project: slug }
  switch (again.is) {
    case 'superseded':
      return (
        <p className="soft">
          {again.state === 'done' ? 'done: superseded by ' : 'superseded by '}
          <RunLink slug={slug} run={again.by} />
          {again.state !== 'done' && `, which is ${RUN_STATES[again.state]}`}
        </p>
      )
    case 'trainable':
      return (
        <>
          <p className="soft">{again.why}</p>
          <TrainAgain slug={slug} run={again.run} />
        </>
      )
    case 'order':
      return (
        <p>
          stale until run again: {again.why}.{' '}
          <Link to="/p/$project/runs" params={params} search={{ again: again.run }}>
            Order it again
          </Link>
        </p>
      )
    case 'evaluate':
      return (
        <p>
          stale until run again.{' '}
          <Link to="/p/$project/evaluations" params={params} search={{ models: again.models.join(',') }}>
            Evaluate {again.models[0]} against {again.models.slice(1).join(', ')}
          </Link>
        </p>
      )
    case 'stale':
      return <p>stale until run again: {again.why}</p>
    default:
      return again satisfies never
  }
}

/** A second press leads to the same run. */
function TrainAgain({ slug, run }: { slug: string; run: string }) {
  const navigate = useNavigate()
  const train = useWrite('POST /api/projects/{project}/runs/{run}/again', ({ run: made }) =>
    navigate({ to: '/p/$project/runs/$run', params: { project: slug, run: made } }),
  )
  return (
    <>
      <button
        type="button"
        disabled={train.isPending}
        aria-label={`Train ${run} again without them`}
        onClick={() => train.mutate({ params: { project: slug, run } })}
      >
        Train again without them
      </button>
      <Problem error={train.error} />
    </>
  )
}

/** On the page of a run, for who may order runs. */
export function RestsOnWithdrawn({ slug, run }: { slug: string; run: string }) {
  const { data } = useGet('GET /api/projects/{project}/runs/{run}/again', { params: { project: slug, run } })
  // Which run has taken its place stands above, for everybody.
  if (!data?.again || data.again.is === 'superseded') return null
  return (
    <section className="panel" aria-label="Rests on withdrawn answers">
      <div>
        <b>This run rests on withdrawn answers.</b>
        <AgainWords slug={slug} again={data.again} />
      </div>
    </section>
  )
}

/** Whose place the run took, and who took its own. */
export function Superseding({ slug, run: { supersedes, supersededBy } }: { slug: string; run: Run }) {
  return (
    <>
      {supersededBy && (
        <p className="away">
          Superseded by <RunLink slug={slug} run={supersededBy.run} />, which is {RUN_STATES[supersededBy.state]}
          {supersededBy.why !== null && `: ${supersededBy.why}`}.
        </p>
      )}
      {supersedes && (
        <p>
          Supersedes <RunLink slug={slug} run={supersedes.run} />
          {supersedes.why !== null && `: ${supersedes.why}`}.
        </p>
      )}
    </>
  )
}

function RunLink({ slug, run }: { slug: string; run: string }) {
  return (
    <Link to="/p/$project/runs/$run" params={{ project: slug, run }}>
      {run}
    </Link>
  )
}
