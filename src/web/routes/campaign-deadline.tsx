// When a campaign closes by itself: set when it is made, shown to everybody at work in it, moved by a lead.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useWrite } from '../api.ts'
import { Due, Field, Problem, textsOf } from '../parts.tsx'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

/** What a field of local time says, as a moment; null: nothing. */
export function momentOf(local: string): string | null {
  const time = Date.parse(local)
  return Number.isNaN(time) ? null : new Date(time).toISOString()
}

export function DeadlineField({ value }: { value?: string | null }) {
  return (
    <Field
      label="Deadline (if there is one)"
      hint="It is closed then by itself; what comes later is kept and does not count."
    >
      {(attributes) => (
        <input {...attributes} name="deadline" type="datetime-local" defaultValue={value ? localOf(value) : ''} />
      )}
    </Field>
  )
}

export function Deadline({
  params,
  campaign: { deadline, state },
  isLead,
}: {
  params: { project: string; campaign: string }
  campaign: Pick<Campaign, 'deadline' | 'state'>
  isLead: boolean
}) {
  const [isOpen, setOpen] = useState(false)
  const set = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/deadline', () => setOpen(false))
  if (deadline === null && !isLead) return null
  const submit = (event: FormEvent<HTMLFormElement>): void =>
    set.mutate({ params, body: { deadline: momentOf(textsOf(event)('deadline')) } })
  return (
    <div className="row">
      {deadline !== null && <Due at={deadline} />}
      {deadline !== null && state === 'closed' && <span className="soft">closed</span>}
      {isLead && !isOpen && (
        <button type="button" className="quiet" onClick={() => setOpen(true)}>
          {deadline === null ? 'Set a deadline' : 'Move the deadline'}
        </button>
      )}
      {isOpen && (
        <form onSubmit={submit} className="narrow">
          <DeadlineField value={deadline} />
          <Problem error={set.error} />
          <div className="row">
            <button type="submit" className="primary" disabled={set.isPending}>
              Keep the deadline
            </button>
            <button type="button" onClick={() => setOpen(false)}>
              Leave it
            </button>
          </div>
        </form>
      )}
    </div>
  )
}

/** As a field of local time takes it: to the minute. */
function localOf(at: string): string {
  const date = new Date(at)
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}
