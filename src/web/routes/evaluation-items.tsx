// An evaluation pair by pair: what was lost, won or tied, both answers, and what people and an adjudicator said of them.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'

type Result = NonNullable<AnswerOf<'GET /api/projects/{project}/evaluations/{evaluation}'>['result']>

const OUTCOMES = {
  win: 'Won',
  loss: 'Lost',
  tie: 'Tied',
  equal: 'Same text',
  'cannot-judge': 'Cannot be judged',
} as const
const SAID = {
  candidate: 'candidate better',
  opponent: 'opponent better',
  tie: 'a tie',
  'both-bad': 'both bad',
  'cannot-judge': 'cannot judge',
} as const
const ITEMS_AT_ONCE = 20

export function Items({ items }: { items: Result['items'] }) {
  const [shown, setShown] = useState<Result['items'][number]['outcome']>('loss')
  const [count, setCount] = useState(ITEMS_AT_ONCE)
  const own = items.filter(({ outcome }) => outcome === shown)
  return (
    <section aria-labelledby="pairs">
      <h2 id="pairs">Pair by pair</h2>
      <div className="row" role="group" aria-label="Which pairs">
        {Object.entries(OUTCOMES).map(([outcome, label]) => {
          const of = items.filter((item) => item.outcome === outcome).length
          if (of === 0) return null
          return (
            <button
              key={outcome}
              type="button"
              aria-pressed={shown === outcome}
              onClick={() => {
                setShown(outcome as typeof shown)
                setCount(ITEMS_AT_ONCE)
              }}
            >
              {label} {of}
            </button>
          )
        })}
      </div>
      {own.length === 0 && <p className="soft">None lost.</p>}
      {own.slice(0, count).map(({ item, stratum, prompt, candidate, opponent, judgements, settled }) => (
        <article key={item} className="judged-pair">
          <p className="text soft">
            {typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')}
            {stratum !== null && <span className="tag">{stratum}</span>}
          </p>
          <div className="beside">
            <div className="answer">
              <span className="soft block">Candidate</span>
              <p className="text">{candidate}</p>
            </div>
            <div className="answer">
              <span className="soft block">Opponent</span>
              <p className="text">{opponent}</p>
            </div>
          </div>
          {settled && (
            <p>
              <span className="tag">{settled.choice ? 'adjudicated' : 'truly subjective'}</span>{' '}
              {settled.choice && SAID[settled.choice]}
              <span className="soft">: {settled.reason}</span>
            </p>
          )}
          {judgements.length > 0 && (
            <ul className="said">
              {judgements.map(({ id, choice, strength, reason }) => (
                <li key={id}>
                  {SAID[choice]}
                  {strength !== null && `, strength ${strength} of 4`}
                  {reason !== '' && <span className="soft">: {reason}</span>}
                </li>
              ))}
            </ul>
          )}
        </article>
      ))}
      {own.length > count && (
        <button type="button" onClick={() => setCount(count + ITEMS_AT_ONCE)}>
          {own.length - count} more
        </button>
      )}
    </section>
  )
}
