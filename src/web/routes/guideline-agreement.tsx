// How far people agree under each version of the guideline, where they judged under more than one.
import { useGet } from '../api.ts'
import { Problem } from '../parts.tsx'
import { AgreementParts } from './agreement-parts.tsx'

export function GuidelineAgreement({ slug }: { slug: string }) {
  const agreement = useGet('GET /api/projects/{project}/guideline/agreement', { params: { project: slug } })
  if (agreement.isError) return <Problem error={agreement.error} />
  const { versions = [] } = agreement.data ?? {}
  if (versions.length === 0) return null
  const parts = versions.map(({ numbers, ...part }) => ({ ...part, name: numbers.join(', ') }))
  const note =
    'Of pairs in all campaigns, gold left out; bars are 95% intervals, resampled over pairs. Other pairs and people may have been under another version: whether a change helped is below.'
  return <AgreementParts id="by-version" part="version" note={note} parts={parts} />
}
