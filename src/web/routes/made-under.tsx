// What was made under a version of the objective: guidelines, campaigns, runs and gates, each with the way to it.
import { Link } from '@tanstack/react-router'
import { Fragment, type ReactNode } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'

export type Under = AnswerOf<'GET /api/projects/{project}/objective/made'>['objectives'][number]

/** Not for annotators, who see no runs and no gates. */
export function useMadeUnder(slug: string, { isShown }: { isShown: boolean }) {
  return useGet('GET /api/projects/{project}/objective/made', { params: { project: slug } }, { enabled: isShown })
}

/** Nothing where nothing was made under it. */
export function MadeUnder({ slug, under }: { slug: string; under: Under | undefined }) {
  if (!under) return null
  const { hash, guidelines, campaigns, runs, gates } = under
  const params = { project: slug }
  const kinds: [string, ReactNode[]][] = [
    [
      'Guideline',
      guidelines.map(({ number }) => (
        <Link key={number} to="/p/$project/guideline" params={params}>
          version {number}
        </Link>
      )),
    ],
    [
      'Campaigns',
      campaigns.map(({ id, name }) => (
        <Link key={id} to="/p/$project/campaigns/$campaign" params={{ ...params, campaign: id }}>
          {name}
        </Link>
      )),
    ],
    [
      'Runs',
      runs.map(({ run }) => (
        <Link key={run} to="/p/$project/runs/$run" params={{ ...params, run }}>
          {run}
        </Link>
      )),
    ],
    [
      'Gates',
      gates.map(({ id, model, release }) => (
        <Link key={id} to="/p/$project/releases" params={params}>
          {model} as {release}
        </Link>
      )),
    ],
  ]
  const shown = kinds.filter(([, links]) => links.length > 0)
  if (shown.length === 0) return null
  return (
    <>
      <dl className="made-under">
        {shown.map(([kind, links]) => (
          <div key={kind}>
            <dt>{kind}</dt>
            <dd>
              {links.map((link, i) => (
                <Fragment key={i}>
                  {i > 0 && ', '}
                  {link}
                </Fragment>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <Link to="/p/$project/lineage" params={params} search={{ id: hash }}>
        All that came of it<span className="unseen">: {hash.slice(0, 12)}</span>
      </Link>
    </>
  )
}

/** In a line of facts: the objective that something was made under; nothing where that is not known. */
export function UnderObjective({ slug, id, number }: { slug: string; id: string | null; number?: number | null }) {
  if (id === null) return null
  return (
    <>
      , under the objective{number ? `’s version ${number}` : ''}{' '}
      <Link to="/p/$project/lineage" params={{ project: slug }} search={{ id }} className="mono">
        {id.slice(0, 12)}
      </Link>
    </>
  )
}

/** Said where records of different objectives meet; nothing where they do not. */
export function ObjectivesDiffer({ sentence }: { sentence: string | null }) {
  return sentence === null ? null : (
    <p className="away">
      {sentence.charAt(0).toUpperCase()}
      {sentence.slice(1)}.
    </p>
  )
}

/** Objectives that are no version: the file as it is or was, under which something was made all the same. */
export function OtherObjectives({ slug, under, now }: { slug: string; under: readonly Under[]; now: string | null }) {
  const others = under.filter(({ number }) => number === null)
  if (others.length === 0) return null
  return (
    <section aria-labelledby="unsaved-objectives">
      <h2 id="unsaved-objectives">Made under what is no version</h2>
      <ol className="history">
        {others.map((each) => (
          <li key={each.hash}>
            <b>{each.hash === now ? 'The file as it is now' : 'An objective of before'}</b>{' '}
            <span className="mono soft">{each.hash.slice(0, 12)}</span>
            <MadeUnder slug={slug} under={each} />
          </li>
        ))}
      </ol>
    </section>
  )
}
