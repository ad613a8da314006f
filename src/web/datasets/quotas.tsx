// How far each stratum has come to what is wanted of it: a bar each, the number beside it.
import type { AnswerOf } from '#server/contract'
import { many } from '../routes/words.ts'

type Map = Extract<AnswerOf<'GET /api/projects/{project}/datasets/{dataset}/coverage'>, { state: 'done' }>
type Quota = Map['quotas'][number]

export function Quotas({ quotas }: { quotas: readonly Quota[] }) {
  const met = quotas.filter(({ have, wanted }) => have >= wanted).length
  return (
    <>
      <h3>Quotas</h3>
      <p>
        <b>
          {met} of {many(quotas.length, 'quota')}
        </b>{' '}
        {met === 1 ? 'is' : 'are'} met.
      </p>
      <table className="coverage quotas">
        <caption className="unseen">Quotas by stratum</caption>
        <thead>
          <tr>
            <th scope="col">Stratum</th>
            <th scope="col">There of wanted</th>
            <th scope="col">Missing</th>
          </tr>
        </thead>
        <tbody>
          {quotas.map((quota) => (
            <Line key={`${quota.of} ${quota.stratum}`} {...quota} />
          ))}
        </tbody>
      </table>
    </>
  )
}

function Line({ of, stratum, wanted, have }: Quota) {
  const words = `${have} of ${wanted} ${of}`
  return (
    <tr className={have < wanted ? 'is-missing' : undefined}>
      <th scope="row">{stratum}</th>
      <td>
        <span className="line" title={words}>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect className="of-wanted" x="0" y="0" height="10" width="100" />
            <rect
              className={of === 'prompts' ? 'of-prompt' : 'of-demonstration'}
              x="0"
              y="0"
              height="10"
              width={Math.min(100, (100 * have) / wanted)}
            />
          </svg>
          <span>{words}</span>
        </span>
      </td>
      <td className="figure">{Math.max(0, wanted - have)}</td>
    </tr>
  )
}
