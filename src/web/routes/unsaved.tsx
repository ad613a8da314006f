// What a lead began to write in an editor and did not save as a version: kept as it is written, here and on the server, offered
// when the page is opened again, and discarded on request.
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { BodyGiven } from '#server/contract'
import { call } from '../api.ts'
import { forgetOnDevice, onDevice, SAID, type Saved, useKept } from '../kept.ts'
import { Problem, Time } from '../parts.tsx'
import { useMe } from '../who.ts'

type Left<Content> = { draft: Content | null; savedAt: string | null }
type Editor<Content> = {
  name: string
  get: (project: string) => Promise<Left<Content>>
  put: (project: string, body: Content) => Promise<{ savedAt: string }>
  drop: (project: string) => Promise<unknown>
}

export type ObjectiveInHand = BodyGiven<'PUT /api/projects/{project}/objective/draft'>
export const OBJECTIVE: Editor<ObjectiveInHand> = {
  name: 'objective',
  get: (project) => call('GET /api/projects/{project}/objective/draft', { params: { project } }),
  put: (project, body) => call('PUT /api/projects/{project}/objective/draft', { params: { project }, body }),
  drop: (project) => call('DELETE /api/projects/{project}/objective/draft', { params: { project } }),
}

export type GuidelineInHand = BodyGiven<'PUT /api/projects/{project}/guideline/draft'>
export const GUIDELINE: Editor<GuidelineInHand> = {
  name: 'guideline',
  get: (project) => call('GET /api/projects/{project}/guideline/draft', { params: { project } }),
  put: (project, body) => call('PUT /api/projects/{project}/guideline/draft', { params: { project }, body }),
  drop: (project) => call('DELETE /api/projects/{project}/guideline/draft', { params: { project } }),
}

/** What an editor begins with. `draft`: that it goes on with; without a time this device alone has it. */
export type Begun<Content> = { content: Content; draft?: { savedAt: string | undefined } }

export const DISCARD = 'Discard what you wrote? It was not saved as a version.'

const keyOf = (editor: { name: string }, slug: string) => ['unsaved', editor.name, slug]

/** What was left by who is signed in, on this device or another. */
export function useUnsaved<Content>(
  editor: Editor<Content>,
  slug: string,
  { isLead }: { isLead: boolean },
): { isPending: boolean; error: Error | null; left: Begun<Content> | undefined; discard: () => Promise<void> } {
  const queries = useQueryClient()
  const place = usePlace(editor, slug)
  const queryKey = keyOf(editor, slug)
  const [, setDiscarded] = useState(0)
  const kept = useQuery({ queryKey, queryFn: () => editor.get(slug), enabled: isLead })
  const here = isLead ? onDevice(place) : null
  const there = kept.data?.draft ?? undefined
  return {
    isPending: isLead && kept.isPending,
    error: kept.error,
    left:
      here !== null
        ? { content: JSON.parse(here) as Content, draft: { savedAt: undefined } }
        : there && { content: there, draft: { savedAt: kept.data?.savedAt ?? undefined } },
    async discard() {
      await editor.drop(slug)
      forgetOnDevice(place)
      queries.setQueryData<Left<Content>>(queryKey, { draft: null, savedAt: null })
      // What this device alone had is seen to be gone.
      setDiscarded((count) => count + 1)
    },
  }
}

/** Keeps what an editor holds, from its first change on. */
export function useKeptDraft<Content>(
  editor: Editor<Content>,
  slug: string,
  { begun, now }: { begun: Begun<Content>; now: Content },
): {
  /** Undefined: there is nothing to keep. */
  saved: Saved | undefined
  flush: () => Promise<void>
  forget: () => void
} {
  const queries = useQueryClient()
  const text = JSON.stringify(now)
  const [first] = useState(text)
  const isHereAlone = begun.draft !== undefined && begun.draft.savedAt === undefined
  const { saved, flush, forget } = useKept({
    place: usePlace(editor, slug),
    now: text,
    stored: isHereAlone ? null : first,
    async put(changed) {
      const draft = JSON.parse(changed) as Content
      const { savedAt } = await editor.put(slug, draft)
      queries.setQueryData<Left<Content>>(keyOf(editor, slug), { draft, savedAt })
    },
  })
  return { saved: text !== first || begun.draft ? saved : undefined, flush, forget }
}

/** The two ways out of an editor without a version: its draft is kept, or discarded on a second word. */
export function useLeaving(
  draft: { flush: () => Promise<void>; forget: () => void },
  { onEnd, onDiscard }: { onEnd: () => void; onDiscard: () => Promise<void> },
): { leave: () => Promise<void>; discard: () => Promise<void>; problem: Error | null } {
  const [problem, setProblem] = useState<Error | null>(null)
  return {
    problem,
    async leave() {
      await draft.flush()
      onEnd()
    },
    async discard() {
      if (!window.confirm(DISCARD)) return
      try {
        await draft.flush()
        await onDiscard()
        draft.forget()
        onEnd()
      } catch (error) {
        setProblem(error as Error)
      }
    },
  }
}

/** Two people may share a device. */
function usePlace({ name }: { name: string }, slug: string): string {
  return `hone.${name}.${useMe().id}.${slug}`
}

/** In place of the editor: there is a draft. `since`: what was saved since it was begun. */
export function LeftNotice({
  savedAt,
  begunWhen,
  since,
  error,
  onGoOn,
  onDiscard,
}: {
  savedAt: string | undefined
  begunWhen: string
  since: string | undefined
  error: Error | null
  onGoOn: () => void
  onDiscard: () => void
}) {
  return (
    <section className="panel unsaved" aria-labelledby="unsaved">
      <h2 id="unsaved">You have a draft</h2>
      <p>
        <KeptWhen savedAt={savedAt} />, {begunWhen}.{since !== undefined && <b className="warm"> {since}</b>}
      </p>
      <Problem error={error} />
      <div className="row">
        <button type="button" className="primary" onClick={onGoOn}>
          Go on with the draft
        </button>
        <button type="button" className="danger" onClick={onDiscard}>
          Discard the draft
        </button>
      </div>
    </section>
  )
}

/** Above the fields of an editor that goes on with a draft. */
export function Restored({ savedAt, begunWhen }: { savedAt: string | undefined; begunWhen: string }) {
  return (
    <p className="away" role="note">
      <b>Restored from your draft.</b> <KeptWhen savedAt={savedAt} />, {begunWhen}.
    </p>
  )
}

function KeptWhen({ savedAt }: { savedAt: string | undefined }) {
  if (savedAt === undefined) return 'Kept on this device'
  return (
    <>
      Kept <Time at={savedAt} />
    </>
  )
}

/** Beside the buttons of an editor: where its draft is. */
export function KeptState({ saved }: { saved: Saved | undefined }) {
  return (
    <p className="soft small" role="status">
      {saved && `Your draft: ${SAID[saved]}`}
    </p>
  )
}
