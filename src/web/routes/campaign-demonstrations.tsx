// A campaign of demonstrations as a lead sees it: how far, who wrote what, what came of it; and what is accepted, kept.
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Loading, Problem, Time } from '../parts.tsx'
import { KeepForm } from './keep.tsx'
import { useProject } from './project.tsx'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/demonstrations'
type Written = AnswerOf<typeof KEY>
type Params = { project: string; campaign: string }

export const SUBMISSION_STATES: Record<Written['submissions'][number]['state'], string> = {
  waiting: 'to be reviewed',
  accepted: 'accepted',
  returned: 'sent back',
  replaced: 'sent back, written anew',
  'given-up': 'sent back, given up',
  undone: 'taken back',
  surplus: 'not counted',
}

export function Demonstrations({ params, dataset }: { params: Params; dataset: string }) {
  const { role } = useProject()
  const written = useGet(KEY, { params }, { refetchInterval: 5000 })
  if (written.isPending) return <Loading />
  if (written.isError) return <Problem error={written.error} />
  const { waiting, accepted, fixed, returned, people, submissions, tokensBy } = written.data
  const isReviewer = ['owner', 'lead', 'reviewer'].includes(role)
  return (
    <>
      <section aria-labelledby="came">
        <h2 id="came">What came of it</h2>
        <p>
          <b>{accepted}</b> accepted{fixed > 0 && `, ${fixed} of them in a reviewer’s words`} · <b>{waiting}</b> to be
          reviewed · <b>{returned}</b> sent back
        </p>
        {isReviewer && waiting > 0 && (
          <div className="row">
            <Link to="/p/$project/review/$campaign" params={params} className="button">
              Review
            </Link>
          </div>
        )}
      </section>
      {people.length === 0 ? (
        <Empty title="Nothing is written yet">
          <p>Answers show here as people submit them.</p>
        </Empty>
      ) : (
        <section aria-labelledby="writers">
          <h2 id="writers">People</h2>
          <div className="scrolls">
            <table>
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Written</th>
                  <th scope="col">Accepted</th>
                  <th scope="col">Times sent back</th>
                  <th scope="col">Median time</th>
                  <th scope="col">Median tokens{tokensBy !== '' && ` of ${tokensBy}`}</th>
                </tr>
              </thead>
              <tbody>
                {people.map(({ user, name, written: count, accepted: good, returned: back, seconds, tokens }) => (
                  <tr key={user}>
                    <th scope="row">{name}</th>
                    <td>{count}</td>
                    <td>{good}</td>
                    <td>{back}</td>
                    <td>{seconds.toFixed(0)} s</td>
                    <td>{tokens ?? '–'}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </section>
      )}
      {submissions.length > 0 && (
        <section aria-labelledby="newest">
          <h2 id="newest">The newest</h2>
          <ul className="waits">
            {submissions.map(({ id, opening, state, by, at, review }) => (
              <li key={id}>
                <Link to="/p/$project/submissions/$submission" params={{ project: params.project, submission: id }}>
                  {opening}
                </Link>{' '}
                <span className="tag">{SUBMISSION_STATES[state]}</span>{' '}
                <span className="soft">
                  {by}, <Time at={at} />
                  {review && `; ${review.by}${review.reason === '' ? '' : `: ${review.reason}`}`}
                </span>
              </li>
            ))}
          </ul>
        </section>
      )}
      {['owner', 'lead', 'engineer'].includes(role) && accepted > 0 && <Keep params={params} dataset={dataset} />}
    </>
  )
}

function Keep({ params, dataset }: { params: Params; dataset: string }) {
  const keep = useWrite('POST /api/projects/{project}/campaigns/{campaign}/demonstrations')
  return (
    <KeepForm
      label="Keep what is accepted as a dataset version"
      hint="Rows {prompt, completion}; each keeps the id of what was submitted, names replaced."
      suggested={`${dataset}-written`.slice(0, 40)}
      what="demonstration"
      keep={keep}
      onKeep={(name) => keep.mutate({ params, body: { dataset: name } })}
    >
      {() => (
        <>
          .{' '}
          <Link to="/p/$project/runs" params={{ project: params.project }}>
            Start a run of SFT from it
          </Link>
        </>
      )}
    </KeepForm>
  )
}
