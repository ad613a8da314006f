// How far people agree on each criterion that a campaign asks about.
import type { AnswerOf } from '#server/contract'
import { IntervalBar } from '../interval-bar.tsx'
import { many } from './words.ts'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

export function CriteriaAgreement({ criteria, agreementBy }: Pick<Campaign, 'criteria' | 'agreementBy'>) {
  if (criteria.length === 0) return null
  return (
    <section aria-labelledby="by-criterion">
      <h2 id="by-criterion">Agreement by criterion</h2>
      <p className="soft">Gold pairs are left out; bars are 95% intervals, resampled over pairs.</p>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">Criterion</th>
              <th scope="col">Pairs</th>
              <th scope="col">Agreement</th>
              <th scope="col">Krippendorff’s α</th>
              <th scope="col">Gwet’s AC1</th>
            </tr>
          </thead>
          <tbody>
            {criteria.map(({ name, definition }) => {
              const { judgements, agreement } = agreementBy.find(({ criterion }) => criterion === name)!
              return (
                <tr key={name}>
                  <th scope="row" title={definition}>
                    {name}
                    <span className="soft block">{many(judgements, 'answer')}</span>
                  </th>
                  {agreement ? (
                    <>
                      <td>
                        {agreement.items}
                        {agreement.warning !== undefined && (
                          <span className="warm block" title={agreement.warning}>
                            one answer prevails: read AC1
                          </span>
                        )}
                      </td>
                      <Coefficient of={agreement.percent} label={`${name}, agreement`} from={0} />
                      <Coefficient of={agreement.alpha} label={`${name}, α`} from={-0.2} />
                      <Coefficient of={agreement.gwetAC1} label={`${name}, AC1`} from={-0.2} />
                    </>
                  ) : (
                    <td colSpan={4} className="soft">
                      not yet known: no pair has two answers
                    </td>
                  )}
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </section>
  )
}

type Range = { value: number; low: number; high: number }

function Coefficient({ of, label, from }: { of: Range | null; label: string; from: number }) {
  return (
    <td>
      {of ? (
        <IntervalBar {...of} from={from} to={1} mark={from < 0 ? 0 : undefined} label={label} isNumbered />
      ) : (
        <span className="soft">not defined</span>
      )}
    </td>
  )
}
