// Leaving a task, with the reason for it where there is one: `s`, then Enter, says none. What becomes of it is the campaign's
// policy.
import { useState } from 'react'
import { Field } from '../parts.tsx'
import { Sheet } from './guideline.tsx'
import type { Work } from './work.ts'

/** What is said most often; anything else can be written. */
const REASONS = ['not my field', 'I cannot tell', 'the text is broken']

const BECOMES: Record<Work['campaign']['skipPolicy'], string> = {
  'to-others': 'It goes to somebody else and does not come back to you.',
  'back-to-me': 'Others may get it; it comes back to you when nothing else is left.',
  drop: 'Nobody more is asked about it.',
}

export function SkipSheet({
  policy,
  onSkip,
  onClose,
}: {
  policy: Work['campaign']['skipPolicy']
  onSkip: (reason: string) => void
  onClose: () => void
}) {
  const [reason, setReason] = useState('')
  const skip = (why: string): void => {
    onClose()
    onSkip(why)
  }
  return (
    <Sheet title="Skip this one" onClose={onClose}>
      <p className="soft">{BECOMES[policy]}</p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          skip(reason)
        }}
      >
        <Field label="Why? (if you like)">
          {(attributes) => (
            <input
              {...attributes}
              maxLength={1000}
              value={reason}
              autoFocus
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
        <div className="row">
          {REASONS.map((why) => (
            <button key={why} type="button" onClick={() => skip(why)}>
              {why}
            </button>
          ))}
        </div>
        <button type="submit" className="primary">
          Skip it
        </button>
      </form>
    </Sheet>
  )
}
