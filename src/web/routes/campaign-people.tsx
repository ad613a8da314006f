// Who judged in a campaign: how much, how fast, how right on gold, with whom and to which side.
import { Link } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { IntervalBar } from '../interval-bar.tsx'
import { Time } from '../parts.tsx'
import { Pausing } from './pausing.tsx'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

export function People({
  people,
  params,
  isLead,
}: {
  people: Campaign['people']
  params: { project: string; campaign: string }
  isLead: boolean
}) {
  if (people.length === 0) return null
  return (
    <section aria-labelledby="people">
      <h2 id="people">People</h2>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Judged</th>
              <th scope="col">Median time</th>
              <th scope="col">Skipped, flagged</th>
              <th scope="col">Gold</th>
              <th scope="col">With the others</th>
              <th scope="col">Share of left</th>
              <th scope="col">Last</th>
            </tr>
          </thead>
          <tbody>
            {people.map(
              ({
                user,
                name,
                judged,
                skipped,
                flagged,
                seconds,
                lastAt,
                gold,
                qualified,
                paused,
                withOthers,
                leftShare,
              }) => (
                <tr key={user}>
                  <th scope="row">
                    {isLead ? (
                      <Link to="/p/$project/campaigns/$campaign/people/$user" params={{ ...params, user }}>
                        {name}
                      </Link>
                    ) : (
                      name
                    )}
                    {isLead && <Pausing params={{ ...params, user }} name={name} paused={paused} />}
                  </th>
                  <td>{judged}</td>
                  <td>{seconds === null ? '' : `${seconds.toFixed(0)} s`}</td>
                  <td>
                    {skipped}, {flagged}
                  </td>
                  <td>
                    {gold && <IntervalBar {...gold} from={0} to={1} mark={0.5} label={`${name} on gold`} isNumbered />}
                    {qualified && (
                      <span className={qualified.passed ? 'soft block' : 'warm block'}>
                        {qualified.passed ? 'qualified' : 'not qualified'}, {qualified.right} of {qualified.answers}
                      </span>
                    )}
                  </td>
                  <td>
                    {withOthers && (
                      <IntervalBar
                        {...withOthers}
                        from={0}
                        to={1}
                        mark={0.5}
                        label={`${name} with the others`}
                        isNumbered
                      />
                    )}
                  </td>
                  <td>
                    {leftShare && (
                      <>
                        <IntervalBar
                          {...leftShare}
                          from={0}
                          to={1}
                          mark={0.5}
                          label={`${name}, share of left`}
                          isNumbered
                        />
                        {leftShare.adjusted < 0.05 && <span className="warm">leans to a side</span>}
                      </>
                    )}
                  </td>
                  <td>{lastAt && <Time at={lastAt} />}</td>
                </tr>
              ),
            )}
          </tbody>
        </table>
      </div>
    </section>
  )
}
