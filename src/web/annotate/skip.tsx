// Passing a task on to somebody else, with the reason for it where there is one: `s`, then Enter, says none.
import { useState } from 'react'
import { Field } from '../parts.tsx'
import { Sheet } from './guideline.tsx'

/** What is said most often; anything else can be written. */
const REASONS = ['not my field', 'I cannot tell', 'the text is broken']

export function SkipSheet({ onSkip, onClose }: { onSkip: (reason: string) => void; onClose: () => void }) {
  const [reason, setReason] = useState('')
  const skip = (why: string): void => {
    onClose()
    onSkip(why)
  }
  return (
    <Sheet title="Skip this one" onClose={onClose}>
      <p className="soft">It goes to somebody else and does not come back to you.</p>
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
