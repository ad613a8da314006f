// What of a campaign waits for an adjudicator, and what was settled, each with its reason.
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { wordsOf } from '../annotate/answer.ts'
import { useGet } from '../api.ts'
import { Problem, Time } from '../parts.tsx'
import { many } from './words.ts'

const QUEUE = 'GET /api/projects/{project}/campaigns/{campaign}/adjudication'
type Counts = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>['adjudication']
type Params = { project: string; campaign: string }
type Settled = AnswerOf<typeof QUEUE>['settled'][number]

export function Adjudication({
  params,
  counts,
  mayAdjudicate,
}: {
  params: Params
  counts: Counts
  mayAdjudicate: boolean
}) {
  const { waiting, decided, subjective, excluded } = counts
  const isAny = waiting + decided + subjective + excluded > 0
  return (
    <section aria-labelledby="adjudication">
      <h2 id="adjudication">Adjudication</h2>
      <p>
        {waiting === 0 ? 'Nothing waits for an adjudicator.' : `${many(waiting, 'pair')} on which people differ.`}{' '}
        {isAny && (
          <span className="soft">
            {decided} decided · {subjective} truly subjective · {excluded} left out as wrong
          </span>
        )}
      </p>
      {mayAdjudicate && waiting > 0 && (
        <div className="row">
          <Link to="/p/$project/adjudicate/$campaign" params={params} className="button">
            Adjudicate
          </Link>
        </div>
      )}
      {mayAdjudicate && decided + subjective + excluded > 0 && <SettledTable params={params} />}
    </section>
  )
}

function SettledTable({ params }: { params: Params }) {
  const queue = useGet(QUEUE, { params })
  if (queue.isPending) return null
  if (queue.isError) return <Problem error={queue.error} />
  return (
    <div className="scrolls">
      <table>
        <thead>
          <tr>
            <th scope="col">Pair</th>
            <th scope="col">Settled as</th>
            <th scope="col">Why</th>
            <th scope="col">By</th>
          </tr>
        </thead>
        <tbody>
          {queue.data.settled.map((word) => (
            <tr key={word.id}>
              <th scope="row">
                <Link to="/p/$project/adjudicate/$campaign/$item" params={{ ...params, item: word.id }}>
                  {word.opening}
                </Link>
              </th>
              <td>{outcomeOf(word)}</td>
              <td>{word.reason}</td>
              <td>
                {word.by}
                <span className="soft block">
                  <Time at={word.at} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function outcomeOf({ outcome, choice, better }: Pick<Settled, 'outcome' | 'choice' | 'better'>): string {
  if (outcome === 'subjective') return 'Truly subjective'
  if (outcome === 'excluded') return 'Wrong, left out'
  return better === null ? wordsOf(choice ?? 'tie', null) : `Better: ${better}`
}
