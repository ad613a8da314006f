// The guideline and its versions. A campaign keeps the version that it began with; each answer carries it.
import { useState } from 'react'
import { GuidelineText } from '../annotate/guideline.tsx'
import { useGet } from '../api.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { GuidelineAgreement } from './guideline-agreement.tsx'
import { GuidelineChange } from './guideline-change.tsx'
import { GuidelineDifference } from './guideline-difference.tsx'
import { GuidelineForm, savedSince, whenBegun } from './guideline-form.tsx'
import { UnderObjective } from './made-under.tsx'
import { useProject } from './project.tsx'
import { type Begun, DISCARD, GUIDELINE, type GuidelineInHand, LeftNotice, useUnsaved } from './unsaved.tsx'

export function GuidelineScreen() {
  const { slug, role } = useProject()
  const guideline = useGet('GET /api/projects/{project}/guideline', { params: { project: slug } })
  const [number, setNumber] = useState<number>()
  const [begun, setBegun] = useState<Begun<GuidelineInHand>>()
  const [refusal, setRefusal] = useState<Error | null>(null)
  const isLead = role === 'owner' || role === 'lead'
  const unsaved = useUnsaved(GUIDELINE, slug, { isLead })
  if (guideline.isPending || unsaved.isPending) return <Loading />
  if (guideline.isError) return <Problem error={guideline.error} />
  if (unsaved.error) return <Problem error={unsaved.error} />
  const { left } = unsaved
  const { versions } = guideline.data
  const shown = versions.find((version) => version.number === number) ?? versions[0]
  const newest = versions[0]
  const begin = (text: string): void => setBegun({ content: { text, from: newest?.number ?? null } })
  const discard = (): void => {
    if (window.confirm(DISCARD)) void unsaved.discard().then(() => setRefusal(null), setRefusal)
  }
  if (begun)
    return (
      <main id="content" className="page">
        <h1>Guideline</h1>
        <GuidelineForm
          slug={slug}
          begun={begun}
          newest={newest}
          onDiscard={unsaved.discard}
          onEnd={() => {
            setBegun(undefined)
            setNumber(undefined)
          }}
        />
      </main>
    )
  return (
    <main id="content" className="page">
      <h1>Guideline</h1>
      {left && (
        <LeftNotice
          savedAt={left.draft?.savedAt}
          begunWhen={whenBegun(left.content.from)}
          since={newest && newest.number !== left.content.from ? savedSince(newest) : undefined}
          error={refusal}
          onGoOn={() => setBegun(left)}
          onDiscard={discard}
        />
      )}
      {versions.length > 0 && (
        <div className="row">
          <Field label="Version">
            {(attributes) => (
              <select {...attributes} value={shown?.number} onChange={(event) => setNumber(Number(event.target.value))}>
                {versions.map((version) => (
                  <option key={version.id} value={version.number}>
                    {version.number}
                    {byWhom(version)}
                  </option>
                ))}
              </select>
            )}
          </Field>
          {isLead && !left && (
            <button type="button" onClick={() => begin(shown?.text ?? '')}>
              Write a new version
            </button>
          )}
        </div>
      )}
      {shown ? (
        <article className="guideline">
          <p className="soft">
            Version {shown.number}
            {byWhom(shown)}, <Time at={shown.madeAt} />, <span className="mono">{shown.label}</span>
            {role !== 'annotator' && <UnderObjective slug={slug} id={shown.objective} />}
          </p>
          <GuidelineText text={shown.text} />
        </article>
      ) : (
        <Empty title="No guideline yet">
          <p>A lead writes it; people judge by it.</p>
          {isLead && !left && (
            <p>
              <button type="button" className="primary" onClick={() => begin('')}>
                Write the guideline
              </button>
            </p>
          )}
        </Empty>
      )}
      {shown && versions.length > 1 && <GuidelineDifference key={shown.number} versions={versions} shown={shown} />}
      {role !== 'annotator' && versions.length > 1 && (
        <>
          <GuidelineAgreement slug={slug} />
          <GuidelineChange slug={slug} numbers={versions.map((version) => version.number)} />
        </>
      )}
    </main>
  )
}

/** Annotators are told no names. */
const byWhom = ({ by }: { by?: string | undefined }): string => (by === undefined ? '' : ` by ${by}`)
