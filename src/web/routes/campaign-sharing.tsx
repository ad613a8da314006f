// Who does what in a campaign: the most that one person may give, what a lead assigned to whom, and how far each is.
import { type FormEvent, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Field, Loading, Problem, textsOf } from '../parts.tsx'
import { many } from './words.ts'

type Params = { project: string; campaign: string }
type Sharing = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/assignments'>
/** What an item is and what is given to it, in the words of screens. */
type Words = { item: string; given: string }

export function SharingOut({ params, isLead, words }: { params: Params; isLead: boolean; words: Words }) {
  const sharing = useGet('GET /api/projects/{project}/campaigns/{campaign}/assignments', { params })
  const [opened, setOpened] = useState<'assign' | 'limits'>()
  if (sharing.isPending) return <Loading />
  if (sharing.isError) return <Problem error={sharing.error} />
  const { most, isManual, people } = sharing.data
  const isPlain = most === null && !isManual && people.every(({ assigned }) => assigned === 0)
  if (isPlain && !isLead) return null
  return (
    <section aria-labelledby="sharing">
      <h2 id="sharing">Who does what</h2>
      <p>{rulesIn(sharing.data, words)}</p>
      {!isPlain && <Shares params={params} sharing={sharing.data} isLead={isLead} />}
      {isLead && opened === undefined && (
        <div className="row">
          <button type="button" onClick={() => setOpened('assign')}>
            Assign {words.item}s
          </button>
          <button type="button" onClick={() => setOpened('limits')}>
            Set limits
          </button>
        </div>
      )}
      {opened === 'assign' && (
        <Assign params={params} sharing={sharing.data} words={words} leave={() => setOpened(undefined)} />
      )}
      {opened === 'limits' && (
        <SetLimits params={params} sharing={sharing.data} words={words} leave={() => setOpened(undefined)} />
      )}
    </section>
  )
}

function rulesIn({ most, mostShare, fewest, isManual }: Sharing, { item, given }: Words): string {
  const how = isManual
    ? `People get the ${item}s that a lead assigns to them, and no others.`
    : `People get the next ${item} that is open to them, what a lead assigns to them first.`
  if (most === null) return how
  const share = mostShare === null ? '' : `, and no more than ${percentOf(mostShare)}% of all`
  return `${how} One person may give ${many(most, given)}${share}: it takes ${many(fewest ?? 1, 'person').replace('persons', 'people')} at least.`
}

const percentOf = (share: number): number => Number((100 * share).toFixed(2))

function Shares({ params, sharing, isLead }: { params: Params; sharing: Sharing; isLead: boolean }) {
  const { most } = sharing
  const take = useWrite('DELETE /api/projects/{project}/campaigns/{campaign}/people/{user}/assignments')
  return (
    <div className="scrolls">
      <Problem error={take.error} />
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">{most === null ? 'Given' : `Given, of ${most.toLocaleString('en')}`}</th>
            <th scope="col">Assigned</th>
            <th scope="col">To do</th>
            {isLead && <th scope="col">Manage</th>}
          </tr>
        </thead>
        <tbody>
          {sharing.people.map(({ user, name, given, assigned, owed }) => (
            <tr key={user}>
              <th scope="row">{name}</th>
              <td>
                {given}
                {most !== null && (
                  <progress className="block" max={most} value={Math.min(given, most)} aria-label={`${name}, given`} />
                )}
                {most !== null && given >= most && <span className="soft block">has given all</span>}
              </td>
              <td>{assigned}</td>
              <td>{owed}</td>
              {isLead && (
                <td>
                  {owed > 0 && (
                    <button
                      type="button"
                      className="quiet"
                      aria-label={`Take back from ${name}`}
                      disabled={take.isPending}
                      onClick={() => take.mutate({ params: { ...params, user } })}
                    >
                      Take back
                    </button>
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

type Form = { params: Params; sharing: Sharing; words: Words; leave: () => void }

function Assign({ params, sharing, words, leave }: Form) {
  const [people, setPeople] = useState<string[]>([])
  const assign = useWrite('POST /api/projects/{project}/campaigns/{campaign}/assignments', leave)
  const strata = sharing.slices.filter(({ stratum }) => stratum !== null)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const items = text('items')
      .split('\n')
      .map((name) => name.trim())
      .filter(Boolean)
    const body = {
      people,
      ...(items.length > 0 && { items }),
      ...(text('stratum') !== '' && { stratum: JSON.parse(text('stratum')) as string | null }),
      ...(text('first') !== '' && { first: Number(text('first')) }),
      isDivided: text('isDivided') !== '',
    }
    assign.mutate({ params, body })
  }
  return (
    <form className="panel narrow" aria-label={`Assign ${words.item}s`} onSubmit={submit}>
      <fieldset>
        <legend>To</legend>
        {sharing.people.map(({ user, name }) => (
          <label key={user} className="check">
            <input
              type="checkbox"
              checked={people.includes(user)}
              onChange={({ target }) =>
                setPeople(target.checked ? [...people, user] : people.filter((each) => each !== user))
              }
            />{' '}
            {name}
          </label>
        ))}
      </fieldset>
      {strata.length > 0 && (
        <Field label="From">
          {(attributes) => (
            <select {...attributes} name="stratum" defaultValue="">
              <option value="">all of them</option>
              {sharing.slices.map(({ stratum, open }) => (
                <option key={String(stratum)} value={JSON.stringify(stratum)}>
                  {stratum ?? 'those without a stratum'}, {open.toLocaleString('en')} open
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      <Field label="At most so many" hint={`The next ones in the order of the campaign. Empty: all that are open.`}>
        {(attributes) => <input {...attributes} name="first" type="number" min={1} max={50_000} />}
      </Field>
      <Field label={`Or these ${words.item}s by name`} hint="One a line.">
        {(attributes) => <textarea {...attributes} name="items" rows={2} />}
      </Field>
      <label className="check">
        <input type="checkbox" name="isDivided" /> Deal them out, each to one of these people
      </label>
      <Problem error={assign.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={assign.isPending || people.length === 0}>
          Assign
        </button>
        <button type="button" onClick={leave}>
          Leave it
        </button>
      </div>
    </form>
  )
}

function SetLimits({ params, sharing, words, leave }: Form) {
  const set = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/limits', leave)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const numberIn = (name: string): number | null => (text(name) === '' ? null : Number(text(name)))
    const share = numberIn('mostShare')
    const body = {
      mostEach: numberIn('mostEach'),
      mostShare: share === null ? null : share / 100,
      isManual: text('isManual') !== '',
    }
    set.mutate({ params, body })
  }
  return (
    <form className="panel narrow" aria-label="Limits" onSubmit={submit}>
      <Field label={`Most ${words.given}s of one person`} hint="Empty: as many as they like. Gold counts for no limit.">
        {(attributes) => (
          <input
            {...attributes}
            name="mostEach"
            type="number"
            min={1}
            max={1_000_000}
            defaultValue={sharing.mostEach ?? ''}
          />
        )}
      </Field>
      <Field label="Most of the whole, %" hint="So that no one person’s taste is the campaign’s.">
        {(attributes) => (
          <input
            {...attributes}
            name="mostShare"
            type="number"
            min={0.1}
            max={99.9}
            step="any"
            defaultValue={sharing.mostShare === null ? '' : percentOf(sharing.mostShare)}
          />
        )}
      </Field>
      <label className="check">
        <input type="checkbox" name="isManual" defaultChecked={sharing.isManual} />
        <span>
          Give out only what is assigned
          <span className="soft block">Otherwise everybody gets what is open once theirs is done.</span>
        </span>
      </label>
      <Problem error={set.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={set.isPending}>
          Keep the limits
        </button>
        <button type="button" onClick={leave}>
          Leave it
        </button>
      </div>
    </form>
  )
}
