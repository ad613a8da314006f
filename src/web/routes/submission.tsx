// One demonstration as it came to be: prompt, drafted answer, what its author wrote, sent back or fixed, and who accepted it.
import { Link, useParams } from '@tanstack/react-router'
import { PromptText } from '../annotate/pair.tsx'
import { useGet } from '../api.ts'
import { Loading, Problem, Time } from '../parts.tsx'
import { Changes } from '../write/changes.tsx'
import { SUBMISSION_STATES } from './campaign-demonstrations.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

const OUTCOMES = { accepted: 'Accepted', fixed: 'Fixed and accepted', returned: 'Sent back' } as const

export function SubmissionScreen() {
  const { slug } = useProject()
  const { submission: id } = useParams({ from: '/signed-in/p/$project/submissions/$submission' })
  const found = useGet('GET /api/projects/{project}/submissions/{submission}', {
    params: { project: slug, submission: id },
  })
  if (found.isPending) return <Loading />
  if (found.isError)
    return (
      <main id="content" className="page">
        <h1>This cannot be opened</h1>
        <Problem error={found.error} />
      </main>
    )
  const { campaign, campaignName, by, at, state, guideline, prompt, drafted, completion, fixed, review, earlier } =
    found.data
  const { editedWords, tokens, seconds, takenBack } = found.data
  return (
    <main id="content" className="page">
      <h1>A demonstration by {by}</h1>
      <p className="soft">
        <Link to="/p/$project/campaigns/$campaign" params={{ project: slug, campaign }}>
          {campaignName}
        </Link>
        , <Time at={at} />, under <span className="mono">{guideline}</span>, {seconds.toFixed(0)} s
        {tokens !== null && `, ${many(tokens, 'token')}`} · <span className="tag">{SUBMISSION_STATES[state]}</span> ·{' '}
        <Link to="/p/$project/lineage" params={{ project: slug }} search={{ id }}>
          Lineage
        </Link>
      </p>
      <PromptText prompt={prompt} />
      <section className="side" aria-label="As written">
        <h2>
          As {by} wrote it
          {editedWords !== null && `: ${many(editedWords, 'word')} changed in the drafted answer`}
        </h2>
        {drafted === null ? <p className="text">{completion}</p> : <Changes before={drafted} after={completion} />}
      </section>
      {review && (
        <section className="side" aria-label="Review">
          <h2>
            {OUTCOMES[review.outcome]} by {review.by}, <Time at={review.at} />
            {review.editedWords !== null && `: ${many(review.editedWords, 'word')} changed`}
          </h2>
          {review.reason !== '' && <p>{review.reason}</p>}
          {fixed !== null && <Changes before={completion} after={fixed} />}
        </section>
      )}
      {takenBack.length > 0 && (
        <section aria-labelledby="taken-back">
          <h2 id="taken-back">Reviews that were taken back</h2>
          {takenBack.map((each) => (
            <article key={each.at} className="side">
              <p>
                <b>{OUTCOMES[each.outcome]}</b> by {each.by}, <Time at={each.at} />; taken back{' '}
                <Time at={each.undoneAt} />
              </p>
              {each.reason !== '' && <p>{each.reason}</p>}
              {each.fixed !== null && <Changes before={completion} after={each.fixed} />}
            </article>
          ))}
        </section>
      )}
      {earlier.length > 0 && (
        <section aria-labelledby="earlier">
          <h2 id="earlier">Before that</h2>
          {earlier.map((each) => (
            <article key={each.id} className="side">
              <p>
                <b>Sent back:</b> {each.reason}{' '}
                <span className="soft">
                  <Time at={each.at} />
                </span>
              </p>
              <p className="text">{each.completion}</p>
            </article>
          ))}
        </section>
      )}
    </main>
  )
}
