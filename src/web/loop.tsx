// The loop as a picture: seven stations on a closed track, out along the top and back below; on a phone one line down.
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

export function Loop({ steps }: { steps: readonly Step[] }) {
  return (
    <div className="loop">
      <svg className="track" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <rect x="11" y="1" width="78" height="98" rx="2" ry="8" vectorEffect="non-scaling-stroke" />
      </svg>
      <ol aria-label="The loop">
        {steps.map(({ step, state, figure, note }, i) => (
          <li key={step} className={`station at-${i + 1} is-${state}`}>
            <span className="station-number" aria-hidden="true">
              {i + 1}
            </span>
            <span className="station-title">{TITLES[step]}</span>
            <span className="station-note">
              {figure !== '' && <b>{figure} </b>}
              {note}
            </span>
            <span className="unseen">({STATES[state]})</span>
          </li>
        ))}
      </ol>
    </div>
  )
}
