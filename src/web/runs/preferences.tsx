// What people said, as it reached the loss: each preference with its probability and weight, and the way to every judgement
// that it was made of.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { Loading, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'

const PREFERENCES = 'GET /api/projects/{project}/runs/{run}/preferences'
type Preference = AnswerOf<typeof PREFERENCES>['preferences'][number]
const AT_ONCE = 20
const AGAIN_MILLISECONDS = 1000

export function PreferencesSection({ slug, run, judgements }: { slug: string; run: string; judgements: number }) {
  const [from, setFrom] = useState(0)
  const page = useGet(
    PREFERENCES,
    { params: { project: slug, run }, query: { from } },
    // A run says what it learns from before it has aggregated it.
    { refetchInterval: ({ state }) => (state.data?.preferences.length === 0 ? AGAIN_MILLISECONDS : false) },
  )
  return (
    <section aria-labelledby="preferences">
      <h2 id="preferences">What people said</h2>
      <p className="soft">
        {many(judgements, 'judgement')} went in. By the reliability of who gave them they became a probability, which is
        the label of the loss, and a weight; each leads to where it came from.
      </p>
      {page.isPending && <Loading />}
      {page.isError && <Problem error={page.error} />}
      {page.data && (
        <>
          <div className="scrolls">
            <table className="preferences">
              <thead>
                <tr>
                  <th scope="col">Pair</th>
                  <th scope="col">Better</th>
                  <th scope="col">Label</th>
                  <th scope="col">Weight</th>
                  <th scope="col">Judgements</th>
                </tr>
              </thead>
              <tbody>
                {page.data.preferences.map((preference) => (
                  <Row key={preference.item} slug={slug} {...preference} />
                ))}
              </tbody>
            </table>
          </div>
          {(from > 0 || !page.data.isLast) && (
            <div className="row">
              <button type="button" disabled={from === 0} onClick={() => setFrom(from - AT_ONCE)}>
                Before
              </button>
              <button type="button" disabled={page.data.isLast} onClick={() => setFrom(from + AT_ONCE)}>
                After
              </button>
            </div>
          )}
        </>
      )}
    </section>
  )
}

function Row({
  slug,
  item,
  prompt,
  a,
  b,
  probability,
  weight,
  strength,
  adjudication,
  from = [],
}: Preference & { slug: string }) {
  const favoured = Math.max(probability, 1 - probability)
  const asked = typeof prompt === 'string' ? prompt : (prompt.at(-1)?.content ?? '')
  return (
    <tr>
      <th scope="row">
        <span className="mono">{item}</span>
        <span className="soft block opening">{asked}</span>
      </th>
      <td>
        <span className="block opening">{probability < 0.5 ? b : a}</span>
      </td>
      <td>
        <b>{favoured.toFixed(2)}</b>
        {strength !== undefined && <span className="soft block">strength {strength.toFixed(1)}</span>}
        {adjudication !== undefined && <span className="warm block">{adjudication}</span>}
      </td>
      <td>{weight.toFixed(2)}</td>
      <td className="judgements">
        {from.map((id, i) => (
          <Link
            key={id}
            to="/p/$project/lineage"
            params={{ project: slug }}
            search={{ id }}
            aria-label={`Judgement ${i + 1} of ${item}`}
          >
            {i + 1}
          </Link>
        ))}
      </td>
    </tr>
  )
}
