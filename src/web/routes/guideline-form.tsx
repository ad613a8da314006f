// A new version of the guideline as a lead writes it. What was saved by others meanwhile is shown beside it.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useWrite } from '../api.ts'
import { Field, Problem } from '../parts.tsx'
import { Changes } from '../write/changes.tsx'
import {
  type Begun,
  GUIDELINE,
  type GuidelineInHand,
  KeptState,
  Restored,
  useKeptDraft,
  useLeaving,
} from './unsaved.tsx'

type Version = AnswerOf<'GET /api/projects/{project}/guideline'>['versions'][number]

export function GuidelineForm({
  slug,
  begun,
  newest,
  onEnd,
  onDiscard,
}: {
  slug: string
  begun: Begun<GuidelineInHand>
  /** Undefined: there is none yet. */
  newest: Version | undefined
  onEnd: () => void
  onDiscard: () => Promise<void>
}) {
  const { from } = begun.content
  const [text, setText] = useState(begun.content.text)
  const draft = useKeptDraft(GUIDELINE, slug, { begun, now: { text, from } })
  const save = useWrite('PUT /api/projects/{project}/guideline', () => {
    draft.forget()
    onEnd()
  })
  const submit = async (): Promise<void> => {
    // A draft that came after the version would stand beside it.
    await draft.flush()
    save.mutate({ params: { project: slug }, body: { text } })
  }
  const { leave, discard, problem } = useLeaving(draft, { onEnd, onDiscard })
  const isChanged = newest !== undefined && newest.number !== from && !save.isPending && !save.isSuccess
  return (
    <form
      className="guideline-form"
      onSubmit={(event) => {
        event.preventDefault()
        void submit()
      }}
    >
      {begun.draft && <Restored savedAt={begun.draft.savedAt} begunWhen={whenBegun(from)} />}
      <Field
        label="Text"
        hint="# begins a heading. A sentence that ends with [criterion] is about that criterion alone."
      >
        {(attributes) => (
          <textarea {...attributes} rows={22} required value={text} onChange={(event) => setText(event.target.value)} />
        )}
      </Field>
      {isChanged && (
        <section className="panel" aria-labelledby="meanwhile">
          <h2 id="meanwhile">From version {newest.number} to what you wrote</h2>
          <p className="warm">{savedSince(newest)} Yours takes its place if you save it.</p>
          <Changes before={newest.text} after={text} />
        </section>
      )}
      <Problem error={save.error ?? problem} />
      <div className="row">
        <button type="submit" className="primary" disabled={save.isPending}>
          Save as version {(newest?.number ?? 0) + 1}
        </button>
        <button type="button" onClick={() => void leave()}>
          {draft.saved === undefined ? 'Leave it' : 'Leave it as a draft'}
        </button>
        {draft.saved !== undefined && (
          <button type="button" className="quiet danger" onClick={() => void discard()}>
            Discard the draft
          </button>
        )}
        <KeptState saved={draft.saved} />
      </div>
    </form>
  )
}

/** What was there when it was begun, in words. */
export function whenBegun(from: number | null): string {
  return from === null ? 'begun when there was none' : `begun when version ${from} was the newest`
}

/** What came since a draft was begun. */
export function savedSince({ number, by }: Version): string {
  return `Version ${number} was saved since it was begun${by === undefined ? '' : `, by ${by}`}.`
}
