// The loop as a picture: seven stations on a closed track, out along the top and back below; on a phone one line down. A station
// leads to where its work is done, as far as its reader may go.
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'

type Step = AnswerOf<'GET /api/projects/{project}'>['steps'][number]

const TITLES: Record<Step['step'], string> = {
  objective: 'Objective',
  demonstrations: 'Demonstrations',
  sft: 'Fine-tuning',
  comparisons: 'Comparisons',
  reward: 'Reward model',
  rl: 'RL under a KL budget',
  evaluation: 'Evaluation, release',
}
const STATES: Record<Step['state'], string> = {
  empty: 'not begun',
  there: 'there',
  waiting: 'waits for people',
  running: 'running',
}

const SCREENS = {
  objective: '/p/$project/objective',
  datasets: '/p/$project/datasets',
  campaigns: '/p/$project/campaigns',
  runs: '/p/$project/runs',
  evaluations: '/p/$project/evaluations',
  releases: '/p/$project/releases',
  judge: '/p/$project/judge/$campaign',
  write: '/p/$project/write/$campaign',
} as const

export function Loop({ slug, steps }: { slug: string; steps: readonly Step[] }) {
  return (
    <div className="loop">
      <svg className="track" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <rect x="11" y="1" width="78" height="98" rx="2" ry="8" vectorEffect="non-scaling-stroke" />
      </svg>
      <ol aria-label="The loop">
        {steps.map((each, i) => (
          <li key={each.step} className={`station at-${i + 1} is-${each.state}`}>
            <span className="station-number" aria-hidden="true">
              {i + 1}
            </span>
            {each.place ? (
              <Link
                to={SCREENS[each.place.screen]}
                params={{ project: slug, campaign: each.place.campaign ?? '' }}
                className="station-words"
                aria-label={nameOf(each)}
              >
                <Words {...each} />
              </Link>
            ) : (
              <span className="station-words">
                <Words {...each} />
              </span>
            )}
          </li>
        ))}
      </ol>
    </div>
  )
}

/** What waits there, in one line. */
function nameOf({ step, state, figure, note }: Step): string {
  return `${TITLES[step]}: ${figure === '' ? note : `${figure} ${note}`} (${STATES[state]})`
}

function Words({ step, state, figure, note }: Step) {
  return (
    <>
      <span className="station-title">{TITLES[step]}</span>
      <span className="station-note">
        {figure !== '' && <b>{figure} </b>}
        {note}
      </span>
      <span className="unseen"> ({STATES[state]})</span>
    </>
  )
}
