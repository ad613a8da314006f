// Which model of the annotators the judgements support: each one's held-out evidence, which is chosen and why, what takes it.
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Problem } from '../parts.tsx'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/aggregation'
type Compared = AnswerOf<typeof KEY>
type Done = Extract<Compared, { state: 'done' }>
type Method = Done['method']

const METHODS: Record<Method, [name: string, means: string]> = {
  majority: ['Majority', 'everybody is equally reliable'],
  'one-coin': ['Dawid-Skene, one coin', 'each person has a reliability'],
  'dawid-skene': ['Dawid-Skene, two coins', 'each person has one a side'],
  mace: ['MACE', 'each person knows, or answers by habit'],
  glad: ['GLAD', 'people have abilities, pairs are easy or hard'],
  'crowd-bt': ['Bradley-Terry with competence', 'answers have strengths, people know them more or less'],
}

export function AnnotatorModels({
  params,
  isLead,
}: {
  params: { project: string; campaign: string }
  isLead: boolean
}) {
  const refetchInterval = (query: { state: { data: Compared | undefined } }) =>
    query.state.data?.state === 'running' ? 1000 : 5000
  const compared = useGet(KEY, { params }, { refetchInterval })
  const compare = useWrite('POST /api/projects/{project}/campaigns/{campaign}/aggregation')
  if (compared.isPending) return null
  if (compared.isError) return <Problem error={compared.error} />
  const { data } = compared
  if (data.state === 'none' && !isLead) return null
  const isKept = data.state === 'running' || (data.state === 'done' && data.isCurrent)
  return (
    <section aria-labelledby="models">
      <h2 id="models">Models of the annotators</h2>
      {data.state === 'none' && (
        <p className="soft">
          Six models of how reliable people are can be held against answers that were left out of their fit.
        </p>
      )}
      {data.state === 'running' && (
        <p className="soft" role="status">
          Fitting each model five times, each time without a fifth of the answers…
        </p>
      )}
      {data.state === 'failed' && (
        <p className="problem" role="alert">
          The comparison failed: {data.problem}
        </p>
      )}
      {data.state === 'done' && <Evidence {...data} />}
      {isLead && !isKept && (
        <div className="row">
          <button type="button" disabled={compare.isPending} onClick={() => compare.mutate({ params })}>
            Compare models of the annotators
          </button>
        </div>
      )}
      <Problem error={compare.error} />
    </section>
  )
}

function Evidence({ method, evidence, isCurrent }: Done) {
  return (
    <>
      <p>
        <b>{METHODS[method][0]}</b> {reasonFor(method)}
        {!isCurrent && <span className="warm"> Answers have changed since.</span>}
      </p>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Log-likelihood</th>
              <th scope="col">Over majority</th>
              <th scope="col">Judgements</th>
            </tr>
          </thead>
          <tbody>
            {evidence.map(({ method: each, heldOutLogLikelihood, gain, gainError, judgements }) => (
              <tr key={each}>
                <th scope="row">
                  {METHODS[each][0]}
                  {each === method && <span className="tag">chosen</span>}
                  <span className="soft block">{METHODS[each][1]}</span>
                </th>
                <td className="figure">{heldOutLogLikelihood.toFixed(3)}</td>
                <td className="nowrap">
                  {each === 'majority' ? '–' : `${gain > 0 ? '+' : ''}${gain.toFixed(3)} ± ${gainError.toFixed(3)}`}
                </td>
                <td>{judgements.toLocaleString('en')}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="soft">
        The log-likelihood is of a judgement that was left out of the fit, a coin’s is -0.693; ± is one standard error,
        over pairs. A reward run on the kept judgements (<code className="mono">hone train reward</code>) chooses in the
        same way and trains on the probability that its model gives each pair; with another seed, or on a part of the
        rows, it may choose otherwise. Nothing else on this page uses the choice.
      </p>
    </>
  )
}

function reasonFor(method: Method): string {
  return method === 'majority'
    ? 'is kept: no other model foretells left-out judgements better than every simpler one by more than a standard error.'
    : 'is chosen: of the models that gain more than a standard error over every simpler one, it foretells left-out judgements best.'
}
