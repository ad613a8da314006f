// How far people agree, a row a part of what they judged: a criterion, a stratum, a version of the guideline.
import type { AnswerOf } from '#server/contract'
import { CoefficientBar } from './coefficients.tsx'
import { many } from './words.ts'

type Agreement = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>['agreement']
export type Part = { name: string; means?: string; judgements: number; agreement: Agreement }

export function AgreementParts({
  id,
  part,
  note,
  parts,
}: {
  id: string
  /** What a row is: `criterion`. */
  part: string
  note: string
  parts: readonly Part[]
}) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>Agreement by {part}</h2>
      <p className="soft">{note}</p>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">{part[0]!.toUpperCase() + part.slice(1)}</th>
              <th scope="col">Pairs</th>
              <th scope="col">Agreement</th>
              <th scope="col">Krippendorff’s α</th>
              <th scope="col">Gwet’s AC1</th>
            </tr>
          </thead>
          <tbody>
            {parts.map(({ name, means, judgements, agreement }) => (
              <tr key={name}>
                <th scope="row" title={means}>
                  {name}
                  <span className="soft block nowrap">{many(judgements, 'answer')}</span>
                </th>
                {agreement?.percent ? (
                  <Figures name={name} agreement={agreement} />
                ) : (
                  <td colSpan={4} className="soft">
                    not yet known: {agreement ? 'too few pairs have two answers' : 'no pair has two answers'}
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Figures({ name, agreement }: { name: string; agreement: NonNullable<Agreement> }) {
  const { items, percent, alpha, gwetAC1, warning } = agreement
  return (
    <>
      <td>
        {items.toLocaleString('en')}
        {warning !== undefined && (
          <span className="warm block" title={warning}>
            one answer prevails: read AC1
          </span>
        )}
      </td>
      {[
        { of: percent, label: 'agreement', isShare: true },
        { of: alpha, label: 'α' },
        { of: gwetAC1, label: 'AC1' },
      ].map(({ label, ...coefficient }) => (
        <td key={label}>
          <CoefficientBar {...coefficient} label={`${name}, ${label}`} isNumbered />
        </td>
      ))}
    </>
  )
}
