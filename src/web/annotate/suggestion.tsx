// What a model says of a pair: beside the task, or once it was answered. It picks nothing, and no key takes it over.
import type { Work } from './work.ts'

type Suggestion = NonNullable<NonNullable<Work['task']>['suggestion']>

export function Suggested({ suggestion }: { suggestion: Suggestion | null }) {
  if (!suggestion) return null
  return (
    <p className="suggested" role="note" aria-label="Suggestion">
      A model suggests <b>{suggestion.choice}</b>, {percent(suggestion.score)} sure{' '}
      <span className="soft">{suggestion.source}. It may be wrong: judge by yourself.</span>
    </p>
  )
}

export function Revealed({ revealed }: { revealed: Work['revealed'] }) {
  if (!revealed) return null
  const { choice, score, source, agreed } = revealed
  return (
    <p className="suggested" role="status">
      Of the last pair a model suggested <b>{choice}</b>, {percent(score)} sure
      {agreed !== null && (agreed ? ', as you did' : ', you did not')}. <span className="soft">{source}</span>
    </p>
  )
}

const percent = (share: number): string => `${(100 * share).toFixed(0)}%`
