// Webhooks: programs that are told what happens here, and what became of each delivery.
import { type FormEvent, useState } from 'react'
import type { AnswerOf, BodyGiven } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, HandOver, Loading, Problem, textsOf, Time } from '../parts.tsx'
import { useProject } from './project.tsx'

type Webhook = AnswerOf<'GET /api/projects/{project}/webhooks'>['webhooks'][number]
type Event = BodyGiven<'POST /api/projects/{project}/webhooks'>['events'][number]
type Delivery = AnswerOf<'GET /api/projects/{project}/webhooks/{webhook}/deliveries'>['deliveries'][number]

export function WebhooksScreen() {
  const { slug, role } = useProject()
  const all = useGet('GET /api/projects/{project}/webhooks', { params: { project: slug } }, { refetchInterval: 5000 })
  const mayChange = role === 'owner' || role === 'lead'
  return (
    <main id="content" className="page">
      <h1>Webhooks</h1>
      <p className="soft">
        A program is sent what happens in this project as JSON, signed; and again, later each time, until it answers
        with 2xx. The id of a delivery stays the same, so that it can be taken once.
      </p>
      {all.isPending && <Loading />}
      {all.isError && <Problem error={all.error} />}
      {all.data?.webhooks.length === 0 && <Empty title="No program is told anything yet" />}
      {all.data?.webhooks.map((webhook) => (
        <WebhookCard key={webhook.id} slug={slug} webhook={webhook} mayChange={mayChange} />
      ))}
      {mayChange && all.data && <NewWebhook slug={slug} events={all.data.events} />}
    </main>
  )
}

function WebhookCard({ slug, webhook, mayChange }: { slug: string; webhook: Webhook; mayChange: boolean }) {
  const { id, name, url, events, by, madeAt, waiting, failed } = webhook
  const params = { project: slug, webhook: id }
  const [isShown, setShown] = useState(false)
  const test = useWrite('POST /api/projects/{project}/webhooks/{webhook}/test', () => setShown(true))
  const remove = useWrite('DELETE /api/projects/{project}/webhooks/{webhook}')
  return (
    <section aria-label={name} className="panel">
      <h2>{name}</h2>
      <p className="mono breaks">{url}</p>
      <p>{events.join(', ')}</p>
      <p className="soft">
        {by}, <Time at={madeAt} />
        {waiting > 0 && `; ${waiting} to be sent`}
        {failed > 0 && `; ${failed} failed`}
      </p>
      <p className="row">
        {mayChange && (
          <button type="button" disabled={test.isPending} onClick={() => test.mutate({ params })}>
            Send a test
          </button>
        )}
        <button type="button" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          Deliveries
        </button>
        {mayChange && (
          <button
            type="button"
            className="quiet danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate({ params })}
          >
            Remove {name}
          </button>
        )}
      </p>
      <Problem error={test.error ?? remove.error} />
      {isShown && <Deliveries slug={slug} webhook={id} mayChange={mayChange} />}
    </section>
  )
}

function Deliveries({ slug, webhook, mayChange }: { slug: string; webhook: string; mayChange: boolean }) {
  const params = { project: slug, webhook }
  const all = useGet('GET /api/projects/{project}/webhooks/{webhook}/deliveries', { params }, { refetchInterval: 2000 })
  const again = useWrite('POST /api/projects/{project}/webhooks/{webhook}/deliveries/{delivery}/again')
  if (all.isPending) return <Loading />
  if (all.isError) return <Problem error={all.error} />
  if (all.data.deliveries.length === 0) return <p className="soft">Nothing has been sent yet.</p>
  return (
    <>
      <Problem error={again.error} />
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Outcome</th>
              <th scope="col">Attempts</th>
              <th scope="col">
                <span className="unseen">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.data.deliveries.map((delivery) => (
              <tr key={delivery.id}>
                <td className="nowrap">
                  <Time at={delivery.at} />
                </td>
                <td>
                  {delivery.event} <span className="mono soft">{delivery.subject}</span>
                </td>
                <td>{outcomeOf(delivery)}</td>
                <td>{delivery.attempts}</td>
                <td className="acts">
                  {mayChange && delivery.state !== 'waiting' && (
                    <button
                      type="button"
                      className="quiet"
                      disabled={again.isPending}
                      onClick={() => again.mutate({ params: { ...params, delivery: delivery.id } })}
                    >
                      Send again
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function outcomeOf({ state, status, problem, attempts }: Delivery): string {
  const said = [status === null ? '' : `answered ${status}`, problem].filter((text) => text !== '').join(': ')
  if (state === 'delivered') return `delivered, ${said}`
  if (state === 'failed') return `given up, ${said}`
  return attempts === 0 ? 'to be sent' : `to be sent again, ${said || 'under way'}`
}

function NewWebhook({ slug, events }: { slug: string; events: readonly Event[] }) {
  const [secret, setSecret] = useState<string>()
  const [chosen, setChosen] = useState<ReadonlySet<Event>>(
    new Set(['run.done', 'run.failed', 'run.waiting', 'candidacy.sign']),
  )
  const make = useWrite('POST /api/projects/{project}/webhooks', (made) => setSecret(made.secret))
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const form = event.currentTarget
    const text = textsOf(event)
    const body = { name: text('name'), url: text('url'), events: [...chosen] }
    make.mutate({ params: { project: slug }, body }, { onSuccess: () => form.reset() })
  }
  const change = (event: Event, isIn: boolean): void =>
    setChosen(new Set(isIn ? [...chosen, event] : [...chosen].filter((each) => each !== event)))
  return (
    <section aria-labelledby="new-webhook">
      <h2 id="new-webhook">Tell another program</h2>
      {secret !== undefined && (
        <HandOver
          label="The secret of its signatures"
          what="secret"
          url={secret}
          note="Shown this once. The program checks webhook-signature by it, as Standard Webhooks has it."
        />
      )}
      <form onSubmit={submit}>
        <div className="row">
          <Field label="Program" hint="Who is told.">
            {(attributes) => <input {...attributes} name="name" required maxLength={80} />}
          </Field>
          <Field label="Address" hint="On the public internet, or a host that the operator allowed.">
            {(attributes) => <input {...attributes} name="url" type="url" required maxLength={2000} />}
          </Field>
        </div>
        <fieldset className="choices">
          <legend>What it is told</legend>
          {events.map((event) => (
            <label key={event} className="check">
              <input
                type="checkbox"
                checked={chosen.has(event)}
                onChange={({ target }) => change(event, target.checked)}
              />{' '}
              {event}
            </label>
          ))}
        </fieldset>
        <button type="submit" className="primary" disabled={make.isPending || chosen.size === 0}>
          Add
        </button>
        <Problem error={make.error} />
      </form>
    </section>
  )
}
