// The guideline and its versions. A campaign keeps the version that it began with; each answer carries it.
import { useState } from 'react'
import { GuidelineText } from '../annotate/guideline.tsx'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { GuidelineAgreement } from './guideline-agreement.tsx'
import { GuidelineChange } from './guideline-change.tsx'
import { useProject } from './project.tsx'

export function GuidelineScreen() {
  const { slug, role } = useProject()
  const guideline = useGet('GET /api/projects/{project}/guideline', { params: { project: slug } })
  const [number, setNumber] = useState<number>()
  const [text, setText] = useState<string>()
  const save = useWrite('PUT /api/projects/{project}/guideline', () => {
    setText(undefined)
    setNumber(undefined)
  })
  if (guideline.isPending) return <Loading />
  if (guideline.isError) return <Problem error={guideline.error} />
  const { versions } = guideline.data
  const shown = versions.find((version) => version.number === number) ?? versions[0]
  const isLead = role === 'owner' || role === 'lead'
  return (
    <main id="content" className="page">
      <h1>Guideline</h1>
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
          {isLead && text === undefined && (
            <button type="button" onClick={() => setText(shown?.text ?? '')}>
              Write a new version
            </button>
          )}
        </div>
      )}
      {text !== undefined || (isLead && !shown) ? (
        <form
          onSubmit={(event) => {
            event.preventDefault()
            save.mutate({ params: { project: slug }, body: { text: text ?? '' } })
          }}
        >
          <Field
            label="Text"
            hint="# begins a heading. A sentence that ends with [criterion] is about that criterion alone."
          >
            {(attributes) => (
              <textarea
                {...attributes}
                rows={22}
                required
                value={text ?? ''}
                onChange={(event) => setText(event.target.value)}
              />
            )}
          </Field>
          <Problem error={save.error} />
          <div className="row">
            <button type="submit" className="primary" disabled={save.isPending}>
              Save as version {(versions[0]?.number ?? 0) + 1}
            </button>
            <button type="button" onClick={() => setText(undefined)}>
              Leave it
            </button>
          </div>
        </form>
      ) : shown ? (
        <article className="guideline">
          <p className="soft">
            Version {shown.number}
            {byWhom(shown)}, <Time at={shown.madeAt} />, <span className="mono">{shown.label}</span>
          </p>
          <GuidelineText text={shown.text} />
        </article>
      ) : (
        <Empty title="No guideline yet">
          <p>A lead writes it; people judge by it.</p>
        </Empty>
      )}
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
