// How far people agree on each criterion that a campaign asks about, and in each stratum of its items.
import type { AnswerOf } from '#server/contract'
import { AgreementParts } from './agreement-parts.tsx'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

const NOTE = 'Gold pairs are left out; bars are 95% intervals, resampled over pairs.'

export function CriteriaAgreement({ criteria, agreementBy }: Pick<Campaign, 'criteria' | 'agreementBy'>) {
  if (criteria.length === 0) return null
  const parts = criteria.map(({ name, definition }) => ({
    ...agreementBy.find(({ criterion }) => criterion === name)!,
    name,
    means: definition,
  }))
  return <AgreementParts id="by-criterion" part="criterion" note={NOTE} parts={parts} />
}

export function StrataAgreement({ strata: { count, largest } }: Pick<Campaign, 'strata'>) {
  if (count === 0) return null
  const few =
    largest.length < count ? ` Of ${count.toLocaleString('en')} strata, the ${largest.length} with most pairs.` : ''
  const parts = largest.map(({ stratum, ...part }) => ({ ...part, name: stratum ?? 'none named' }))
  return <AgreementParts id="by-stratum" part="stratum" note={`${NOTE}${few}`} parts={parts} />
}
