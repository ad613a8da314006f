// Ratings and rankings as a lead sees them: means and counts by question with intervals, agreement, people, and the rows.
import type { AnswerOf } from '#server/contract'
import { addressOf, useGet, useWrite } from '../api.ts'
import { IntervalBar } from '../interval-bar.tsx'
import { Empty, Loading, Problem, Time } from '../parts.tsx'
import { ShareBars } from '../share-bars.tsx'
import { KeepForm } from './keep.tsx'
import { useProject } from './project.tsx'
import { CoefficientRow } from './coefficients.tsx'
import { many } from './words.ts'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/answers'
type Report = AnswerOf<typeof KEY>
type Params = { project: string; campaign: string }
/** Ends of the scale of each type, for the bar of its mean. */
const SCALE: Record<string, [number, number]> = { '1-5': [1, 5], '1-7': [1, 7], boolean: [0, 1] }

export function Answers({ params, kind, dataset }: { params: Params; kind: 'ratings' | 'rankings'; dataset: string }) {
  const { role } = useProject()
  const report = useGet(KEY, { params }, { refetchInterval: 5000 })
  if (report.isPending) return <Loading />
  if (report.isError) return <Problem error={report.error} />
  const { questions, agreement, pairs, firstByPosition, people } = report.data
  const isKeeper = ['owner', 'lead', 'engineer'].includes(role)
  if (people.length === 0)
    return (
      <Empty title="Nobody has answered yet">
        <p>What people say shows here as they say it.</p>
      </Empty>
    )
  return (
    <>
      {questions.map((question) => (
        <QuestionReport key={question.name} question={question} />
      ))}
      {kind === 'rankings' && (
        <section aria-labelledby="orders">
          <h2 id="orders">Orders</h2>
          <p className="soft">
            {many(pairs, 'pair')} of answers follow from them; those of one prompt stay together in every split.
          </p>
          <AgreementTable agreement={agreement} what="pair" />
          <h3>Put first, by position on the screen</h3>
          <table>
            <thead>
              <tr>
                <th scope="col">Position</th>
                <th scope="col">Share put first</th>
              </tr>
            </thead>
            <tbody>
              {firstByPosition.map(({ shown, first }, i) => (
                <tr key={`${i} ${shown}`}>
                  <th scope="row">{i + 1}</th>
                  <td>
                    {shown === 0 ? '–' : `${((100 * first) / shown).toFixed(0)}%`}{' '}
                    <span className="soft">
                      {first} of {shown}
                    </span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      <section aria-labelledby="people">
        <h2 id="people">People</h2>
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Answers</th>
                <th scope="col">Median time</th>
                <th scope="col">Last</th>
              </tr>
            </thead>
            <tbody>
              {people.map(({ user, name, answers, seconds, lastAt }) => (
                <tr key={user}>
                  <th scope="row">{name}</th>
                  <td>{answers}</td>
                  <td>{seconds.toFixed(0)} s</td>
                  <td>
                    <Time at={lastAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      {isKeeper && (
        <div className="row">
          <a
            className="button"
            href={addressOf('GET /api/projects/{project}/campaigns/{campaign}/answers/rows', { params })}
            download
          >
            {kind === 'ratings' ? 'Download ratings' : 'Download as judgements of pairs'}
          </a>
        </div>
      )}
      {isKeeper && <Keep params={params} kind={kind} dataset={dataset} />}
    </>
  )
}

function QuestionReport({ question }: { question: Report['questions'][number] }) {
  const { name, text, type, answers, mean, counts, agreement, byMessage } = question
  const [from, to] = SCALE[type] ?? [0, 1]
  return (
    <section aria-labelledby={`question-${name}`}>
      <h2 id={`question-${name}`}>{text}</h2>
      <p className="soft">
        <span className="mono">{name}</span>, {many(answers, 'answer')}
        {type === 'text' && ' in words: they are in the rows'}
      </p>
      {mean && (
        <table className="bars">
          <tbody>
            <tr>
              <th scope="row">{type === 'boolean' ? 'Share of yes' : 'Mean'}</th>
              <td className="figure">{mean.value.toFixed(2)}</td>
              <td>
                <IntervalBar {...mean} from={from} to={to} label={text} />
              </td>
            </tr>
          </tbody>
        </table>
      )}
      {byMessage.some(({ mean: own }) => own) && (
        <table className="bars">
          <caption className="soft">By place in the dialogue, with 95% intervals over dialogues</caption>
          <tbody>
            {byMessage.map(({ message, answers: given, mean: own }) => (
              <tr key={message}>
                <th scope="row">
                  Message {message + 1}
                  <span className="soft block">{many(given, 'answer')}</span>
                </th>
                <td className="figure">{own?.value.toFixed(2)}</td>
                <td>{own && <IntervalBar {...own} from={from} to={to} label={`${text} Message ${message + 1}`} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {counts.length > 0 && (
        <ShareBars title="Answers" labels={counts.map(({ value }) => value)} own={counts.map(({ count }) => count)} />
      )}
      {type !== 'text' && <AgreementTable agreement={agreement} what="answer" />}
    </section>
  )
}

function AgreementTable({ agreement, what }: { agreement: Report['agreement']; what: string }) {
  if (!agreement) return <p className="soft">Agreement shows once two people have answered the same.</p>
  return (
    <table className="bars">
      <caption className="soft">Agreement over {many(agreement.items, what)}, with 95% intervals</caption>
      <tbody>
        <CoefficientRow label="Percent agreement" of={agreement.percent} isShare />
        <CoefficientRow label="Krippendorff’s α" of={agreement.alpha} />
        <CoefficientRow label="α, ordinal" of={agreement.alphaOrdinal} />
        <CoefficientRow label="Gwet’s AC1" of={agreement.gwetAC1} />
      </tbody>
    </table>
  )
}

function Keep({ params, kind, dataset }: { params: Params; kind: 'ratings' | 'rankings'; dataset: string }) {
  const keep = useWrite('POST /api/projects/{project}/campaigns/{campaign}/answers')
  return (
    <KeepForm
      {...(kind === 'rankings' ? ORDERS : RATINGS)}
      suggested={`${dataset}-${kind === 'rankings' ? 'ranked' : 'rated'}`.slice(0, 40)}
      keep={keep}
      onKeep={(name) => keep.mutate({ params, body: { dataset: name } })}
    >
      {({ file }) => (
        <>
          .{' '}
          {kind === 'rankings' ? (
            <>
              Train with <code className="mono">{`hone train reward --data ${file}`}</code>
            </>
          ) : (
            <>
              Look at them with <code className="mono">{`hone data show ${file}`}</code>
            </>
          )}
        </>
      )}
    </KeepForm>
  )
}

const ORDERS = {
  label: 'Keep the orders as judgements of pairs',
  hint: 'Rows as hone train reward takes them, K (K - 1) / 2 a ranking, with the prompt’s group.',
  what: 'judgement',
}
const RATINGS = {
  label: 'Keep the ratings as a dataset version',
  hint: 'A row an answer, names replaced; each keeps the id that leads back to it.',
  what: 'rating',
}
