// People paused in a campaign: the rule that does it by gold, and on a person's row why, and the way to let them go on.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useWrite } from '../api.ts'
import { Field, Problem, textsOf, Time } from '../parts.tsx'
import { many } from './words.ts'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>
type Params = { project: string; campaign: string }

export function PauseRules({ params, campaign }: { params: Params; campaign: Campaign }) {
  const { pauseRule, goldItems } = campaign
  const [isOn, setOn] = useState(pauseRule !== null)
  const set = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/pause-rule')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const rule = isOn ? { items: Number(text('items')), below: Number(text('below')) / 100 } : null
    set.mutate({ params, body: { rule } })
  }
  return (
    <form className="panel" aria-label="Pausing" onSubmit={submit}>
      <label className="check">
        <input type="checkbox" checked={isOn} onChange={(event) => setOn(event.target.checked)} /> Pause people by
        themselves who fall behind on gold
      </label>
      {isOn && (
        <div className="row">
          <Field
            label="After so many gold pairs"
            hint={`Of ${many(goldItems, 'gold pair')}; since they were last let go on.`}
          >
            {(attributes) => (
              <input
                {...attributes}
                name="items"
                type="number"
                min={3}
                max={200}
                required
                defaultValue={pauseRule?.items ?? 10}
              />
            )}
          </Field>
          <Field label="Fewer right than, %" hint="Ties and both bad count half.">
            {(attributes) => (
              <input
                {...attributes}
                name="below"
                type="number"
                min={1}
                max={100}
                step="any"
                required
                defaultValue={Number((100 * (pauseRule?.below ?? 0.6)).toFixed(2))}
              />
            )}
          </Field>
        </div>
      )}
      <Problem error={set.error} />
      <div className="row">
        <button type="submit" disabled={set.isPending}>
          Keep this rule
        </button>
        {set.isSuccess && <p role="status">Kept.</p>}
      </div>
    </form>
  )
}

export function Pausing({
  params,
  name,
  paused,
}: {
  params: Params & { user: string }
  name: string
  paused: Campaign['people'][number]['paused']
}) {
  const [isOpen, setOpen] = useState(false)
  const pause = useWrite('POST /api/projects/{project}/campaigns/{campaign}/people/{user}/pause', () => setOpen(false))
  const resume = useWrite('POST /api/projects/{project}/campaigns/{campaign}/people/{user}/resume', () =>
    setOpen(false),
  )
  const write = paused ? resume : pause
  const verb = paused ? 'Let go on' : 'Pause'
  return (
    <div className="pausing">
      {paused && (
        <span className="warm block">
          paused
          {paused.by === null
            ? ` by gold: ${paused.right} of ${paused.answers} right`
            : ` by ${paused.by}: ${paused.reason}`}
          , <Time at={paused.at} />
        </span>
      )}
      {isOpen ? (
        <form
          onSubmit={(event) => {
            const reason = textsOf(event)('reason')
            write.mutate({ params, body: { reason } })
          }}
        >
          <Field label={`Why ${paused ? `${name} goes on` : `${name} is paused`}`}>
            {(attributes) => <input {...attributes} name="reason" required maxLength={1000} autoFocus />}
          </Field>
          <div className="row">
            <button type="submit" disabled={write.isPending}>
              {verb}
            </button>
            <button type="button" className="quiet" onClick={() => setOpen(false)}>
              Leave it
            </button>
          </div>
          <Problem error={write.error} />
        </form>
      ) : (
        <button type="button" className="quiet" aria-label={`${verb}: ${name}`} onClick={() => setOpen(true)}>
          {verb}
        </button>
      )}
    </div>
  )
}
