// Telling the lead what is wrong with a task, without leaving it.
import { useState } from 'react'
import { call } from '../api.ts'
import { Field } from '../parts.tsx'
import { Sheet } from './guideline.tsx'

type Params = { project: string; campaign: string; item: string }

export function FlagSheet({ params, onClose }: { params: Params; onClose: () => void }) {
  const [note, setNote] = useState('')
  const [said, setSaid] = useState('')
  const flag = async (): Promise<void> => {
    try {
      await call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/flag', { params, body: { note } })
      onClose()
    } catch (error) {
      setSaid((error as Error).message)
    }
  }
  return (
    <Sheet title="Flag this for the lead" onClose={onClose}>
      <Field label="What is wrong with it?">
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            maxLength={1000}
            value={note}
            autoFocus
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      {said !== '' && <p className="problem">{said}</p>}
      <button type="button" className="primary" disabled={note.trim() === ''} onClick={() => void flag()}>
        Flag it
      </button>
    </Sheet>
  )
}
