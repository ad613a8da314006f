// What becomes of a task that somebody skips: chosen with a new campaign, and said on its page.
import type { AnswerOf } from '#server/contract'
import { Field } from '../parts.tsx'

export type SkipPolicy = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>['skipPolicy']

export const SKIPPED: Record<SkipPolicy, string> = {
  'to-others': 'goes to others',
  'back-to-me': 'goes to others, and comes back to who skipped it when nothing else is left',
  drop: 'is put to nobody more',
}

/** `mayDrop`: in a calibration round everybody is asked about everything. */
export function SkipPolicyField({ mayDrop }: { mayDrop: boolean }) {
  return (
    <Field label="What somebody skips">
      {(attributes) => (
        <select {...attributes} name="skipPolicy" key={`${mayDrop}`} defaultValue="to-others">
          {(Object.entries(SKIPPED) as [SkipPolicy, string][])
            .filter(([name]) => mayDrop || name !== 'drop')
            .map(([name, label]) => (
              <option key={name} value={name}>
                {label}
              </option>
            ))}
        </select>
      )}
    </Field>
  )
}
