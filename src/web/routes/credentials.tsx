// What people know enough of to be asked about it: given by a lead with a proof and an expiry, asked for by campaigns.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Problem, textsOf, Time } from '../parts.tsx'
import { many } from './words.ts'

type People = AnswerOf<'GET /api/projects/{project}/people'>['people']
type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>

export function Credentials({
  params,
  name,
  credentials,
  isLead,
}: {
  params: { project: string; user: string }
  name: string
  credentials: People[number]['credentials']
  isLead: boolean
}) {
  const [isOpen, setOpen] = useState(false)
  const end = useWrite('DELETE /api/projects/{project}/people/{user}/credentials/{credential}')
  return (
    <>
      {credentials.map(({ id, expertise, proof, expiresAt, isExpired, by }) => (
        <span key={id} className="block">
          <span className={isExpired ? 'tag warm' : 'tag'}>{expertise}</span>{' '}
          {expiresAt !== null && (
            <span className={isExpired ? 'warm' : 'soft'}>
              {isExpired ? 'expired' : 'until'} <Time at={expiresAt} />
            </span>
          )}
          <span className="soft block">
            {proof !== '' && `${proof}, `}said {by}
          </span>
          {isLead && (
            <button
              type="button"
              className="quiet"
              disabled={end.isPending}
              onClick={() => end.mutate({ params: { ...params, credential: id } })}
            >
              Take back<span className="unseen">{` ${expertise} of ${name}`}</span>
            </button>
          )}
        </span>
      ))}
      <Problem error={end.error} />
      {isLead && !isOpen && (
        <button type="button" className="quiet" onClick={() => setOpen(true)}>
          Add<span className="unseen"> what {name} knows</span>
        </button>
      )}
      {isOpen && <Give params={params} onEnd={() => setOpen(false)} />}
    </>
  )
}

function Give({ params, onEnd }: { params: { project: string; user: string }; onEnd: () => void }) {
  const give = useWrite('POST /api/projects/{project}/people/{user}/credentials', onEnd)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const days = text('days') === '' ? null : Number(text('days'))
    give.mutate({ params, body: { expertise: text('expertise'), proof: text('proof'), days } })
  }
  return (
    <form onSubmit={submit} className="narrow">
      <Field label="Expertise" hint="One word, as rows and campaigns ask for it: cardiology, tax-law.">
        {(attributes) => <input {...attributes} name="expertise" required maxLength={40} autoFocus />}
      </Field>
      <Field label="Shown by (if you like)">
        {(attributes) => <input {...attributes} name="proof" maxLength={400} />}
      </Field>
      <Field label="For how many days" hint="Empty: until it is taken back.">
        {(attributes) => <input {...attributes} name="days" type="number" min={1} max={3650} />}
      </Field>
      <Problem error={give.error} />
      <div className="row">
        <button type="submit" disabled={give.isPending}>
          Keep it
        </button>
        <button type="button" onClick={onEnd}>
          Leave it
        </button>
      </div>
    </form>
  )
}

/** Of a new campaign; nothing where nobody has any. */
export function ExpertiseField({ slug }: { slug: string }) {
  const people = useGet('GET /api/projects/{project}/people', { params: { project: slug } })
  const known = people.data?.people.flatMap(({ credentials }) => credentials.map(({ expertise }) => expertise)) ?? []
  if (known.length === 0) return null
  return (
    <Field label="Who is asked" hint="Rows with an expertise of their own ask for that.">
      {(attributes) => (
        <select {...attributes} name="expertise">
          <option value="">everybody</option>
          {[...new Set(known)].sort().map((expertise) => (
            <option key={expertise} value={expertise}>
              only people who know {expertise}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

/** What a campaign's items ask for, and whether there is anybody to be asked. */
export function AskedExpertise({ expertise }: Pick<Campaign, 'expertise'>) {
  if (expertise.length === 0) return null
  return (
    <ul className="waits">
      {expertise.map(({ expertise: name, items, open, people }) => (
        <li key={name} className={people === 0 && open > 0 ? 'warm' : undefined}>
          <span className="tag">{name}</span> {many(items, 'item')}, {open.toLocaleString('en')} not done;{' '}
          {people === 0 ? 'nobody' : people === 1 ? 'one person' : `${people} people`} may be asked
        </li>
      ))}
    </ul>
  )
}
