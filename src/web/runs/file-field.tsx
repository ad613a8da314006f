// An input of a run that is a file and no dataset: one that an earlier run took, or one that is dropped, chosen or pasted here.
// What is sent is checked at once, and what is wrong with it is said where it was given.
import { useId, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useWrite } from '../api.ts'
import { useFileDrop } from '../file-drop.ts'
import { many } from '../routes/words.ts'
import { type Property, words } from './fields.tsx'

type Known = AnswerOf<'GET /api/projects/{project}/recipes'>['files'][number]
type Kind = Known['kind']

const SENT = { rules: 'term', texts: 'text' } as const
/** Chosen while it holds, so that no run begins without what somebody meant to give it: the server refuses both. */
const REFUSED = 'what was sent and not taken'
const PASTED = 'what was pasted and not taken yet'
const EXAMPLE = '[{"name": "thanks", "weight": 1, "kind": "regex", "pattern": "thank", "flags": "i"}]'

export function FileField({
  slug,
  name,
  path,
  property,
  kind,
  known,
  value: first = '',
  problem,
}: {
  slug: string
  name: string
  /** Name of the form field: `inputs.rules`. */
  path: string
  property: Property
  kind: Kind
  known: readonly Known[]
  /** What it is filled in with at first, one of those that are known. */
  value?: string | undefined
  /** Of what was ordered with. */
  problem: string | undefined
}) {
  const id = useId()
  const [value, setValue] = useState(first)
  const [sent, setSent] = useState<{ file: string; label: string }>()
  const [pasted, setPasted] = useState('')
  const send = useWrite('POST /api/projects/{project}/run-files', ({ file, count }) => {
    setSent({ file, label: `${many(count, SENT[kind])} sent now, ${shortened(file)}` })
    setValue(file)
  })
  const take = (file: Blob | undefined): void => {
    if (!file) return
    setValue(REFUSED)
    const named = file instanceof File ? { file: file.name } : {}
    send.mutate({ params: { project: slug }, query: { kind, ...named }, body: file })
  }
  const drop = useFileDrop(take)
  const choose = (next: string): void => {
    send.reset()
    setValue(next)
  }
  const wrong = send.error?.message ?? problem
  const label = words(name)
  const attributes = {
    'aria-invalid': wrong !== undefined,
    'aria-describedby': `${id}-words${wrong === undefined ? '' : ` ${id}-problem`}`,
  }
  const others = known.filter((each) => each.kind === kind && each.file !== sent?.file)
  return (
    <div className="field run-file drop" data-wrong={wrong !== undefined} {...drop.place}>
      <label htmlFor={id}>{label}</label>
      <select {...attributes} id={id} name={path} value={value} onChange={(event) => choose(event.target.value)}>
        <option value="">none</option>
        {(value === REFUSED || value === PASTED) && <option>{value}</option>}
        {sent && <option value={sent.file}>{sent.label}</option>}
        {others.map(({ file, words: of }) => (
          <option key={file} value={file}>
            {`${of}, ${shortened(file)}`}
          </option>
        ))}
      </select>
      <input
        type="file"
        aria-label={`${label}: drop a file here, or choose one`}
        disabled={send.isPending}
        onChange={drop.onChange}
      />
      {kind === 'rules' && (
        <details>
          <summary>Paste them</summary>
          <textarea
            aria-label={`${label}, pasted`}
            rows={5}
            spellCheck={false}
            className="mono"
            placeholder={EXAMPLE}
            value={pasted}
            onChange={(event) => {
              setPasted(event.target.value)
              choose(event.target.value.trim() === '' ? '' : PASTED)
            }}
          />
          <button
            type="button"
            disabled={send.isPending || pasted.trim() === ''}
            onClick={() => take(new Blob([pasted]))}
          >
            Check and take them
          </button>
        </details>
      )}
      <p className="hint" id={`${id}-words`}>
        {property.description}
      </p>
      {wrong !== undefined && (
        <p className="problem" id={`${id}-problem`} role="alert">
          {wrong}
        </p>
      )}
    </div>
  )
}

/** What is called by its content, by its first digits. */
function shortened(file: string): string {
  return file.replace(/^artifacts\/..\/([0-9a-f]{12})[0-9a-f]+$/, 'content $1')
}
