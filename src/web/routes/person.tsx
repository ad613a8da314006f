// One person in a campaign, as a lead sees them and as they see themselves: what stands out by corrected tests, habits with
// intervals, courses over time, and how they answer beside all others. A finding is a reason to talk, not a verdict.
import { Link, useParams } from '@tanstack/react-router'
import type { AnswerOf } from '#server/contract'
import { useGet } from '../api.ts'
import { ControlChart } from '../control-chart.tsx'
import { IntervalBar } from '../interval-bar.tsx'
import { Empty, Loading, Problem } from '../parts.tsx'
import { ShareBars } from '../share-bars.tsx'
import { many } from './words.ts'

const PERSON = 'GET /api/projects/{project}/campaigns/{campaign}/people/{user}'
type Person = AnswerOf<typeof PERSON>

export function PersonScreen() {
  const params = useParams({ from: '/signed-in/p/$project/campaigns/$campaign/people/$user' })
  const person = useGet(PERSON, { params })
  if (!person.data)
    return person.isError ? (
      <main id="content" className="page">
        <h1>This person cannot be shown</h1>
        <Problem error={person.error} />
      </main>
    ) : (
      <Loading />
    )
  const { name, isSelf, judged, goldChart, agreementChart, pace, answers } = person.data
  return (
    <main id="content" className="page">
      <h1>{isSelf ? 'My judgements' : name}</h1>
      <p className="soft">
        {many(judged, 'judgement')} in this campaign.{' '}
        <Link
          to={isSelf ? '/p/$project/judge/$campaign' : '/p/$project/campaigns/$campaign'}
          params={{ project: params.project, campaign: params.campaign }}
        >
          {isSelf ? 'Back to work' : 'Campaign'}
        </Link>
      </p>
      {judged === 0 ? (
        <Empty title="Nothing judged yet" />
      ) : (
        <>
          <Findings {...person.data} />
          <Habits {...person.data} />
          {(goldChart ?? agreementChart) && (
            <section aria-labelledby="courses">
              <h2 id="courses">Over time</h2>
              {goldChart && <ControlChart chart={goldChart} label="Right on gold" counts="gold pair" />}
              {agreementChart && (
                <ControlChart
                  chart={agreementChart}
                  label="Agreement with the others, beyond what the pairs would have it"
                  counts="judgement"
                />
              )}
            </section>
          )}
          <section aria-labelledby="answers">
            <h2 id="answers">Answers beside all others’</h2>
            <p className="soft">Bars are {isSelf ? 'yours' : name}; the ticks are everybody else together.</p>
            <div className="two">
              <ShareBars title="Strength and kind" {...answers} />
              <ShareBars title="Active time for an answer" {...pace} />
            </div>
          </section>
        </>
      )}
    </main>
  )
}

function Findings({ findings, rate, isLeftOut }: Person) {
  const accused = findings.filter(({ isAccused }) => isAccused)
  if (findings.length === 0)
    return (
      <section aria-labelledby="findings">
        <h2 id="findings">What stands out</h2>
        <p className="soft">Too little has been judged for a test.</p>
      </section>
    )
  return (
    <section aria-labelledby="findings">
      <h2 id="findings">What stands out</h2>
      <p>
        {accused.length === 0 ? 'Nothing.' : `${many(accused.length, 'test')} of ${findings.length}.`}{' '}
        <span className="soft">
          In a crowd without faults any test accuses anybody at all with a chance of at most {100 * rate}%.
          {isLeftOut && ' The others are held against the crowd without these answers.'}
        </span>
      </p>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">Asks whether this person</th>
              <th scope="col">Found</th>
              <th scope="col">p, corrected</th>
            </tr>
          </thead>
          <tbody>
            {findings.map(({ test, asks, says, adjusted, level, isAccused }) => (
              <tr key={test}>
                <th scope="row">{asks}</th>
                <td>{says}</td>
                <td className="nowrap">
                  {adjusted < 0.0001 ? 'below 0.0001' : adjusted.toFixed(4)}
                  <span className={isAccused ? 'warm block' : 'soft block'}>
                    {isAccused ? 'stands out' : `accuses below ${level.toPrecision(2)}`}
                  </span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Habits({ gold, withOthers, leftShare, lengthLean, skill }: Person) {
  const lean = Math.max(1, ...[lengthLean?.low, lengthLean?.high].map((x) => Math.abs(x ?? 0)))
  const rows = [
    { label: 'Right on gold', means: 'of pairs whose answer is known', interval: gold, from: 0, to: 1, mark: 0.5 },
    { label: 'With the others', means: 'agrees with their majority', interval: withOthers, from: 0, to: 1, mark: 0.5 },
    { label: 'Share of left', means: 'sides are drawn by lot', interval: leftShare, from: 0, to: 1, mark: 0.5 },
    {
      label: 'Leaning to length',
      means: 'logits for each e-fold of length, at the same opinion of the others',
      interval: lengthLean,
      from: -lean,
      to: lean,
      mark: 0,
    },
  ].flatMap(({ interval, ...row }) => (interval ? [{ ...row, interval }] : []))
  return (
    <section aria-labelledby="habits">
      <h2 id="habits">Habits</h2>
      <table className="bars">
        <thead className="unseen">
          <tr>
            <th scope="col">Habit</th>
            <th scope="col">Value</th>
            <th scope="col">95% interval</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ label, means, interval, ...scale }) => (
            <tr key={label}>
              <th scope="row">
                {label}
                <span className="soft block">{means}</span>
              </th>
              <td className="figure">{interval.value.toFixed(2)}</td>
              <td>
                <IntervalBar {...interval} {...scale} label={label} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {skill !== null && (
        <p className="soft">
          By the others’ opinion, right on {(100 * skill).toFixed(0)}% of the pairs that they judged too.
        </p>
      )}
    </section>
  )
}
