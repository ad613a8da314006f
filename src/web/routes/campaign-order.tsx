// What people get first in a campaign: chosen when it is made, changed by a lead while it goes on.
import { useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { useWrite } from '../api.ts'
import { Field, Problem } from '../parts.tsx'
import { many } from './words.ts'

type Campaign = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}'>
type Order = Campaign['itemOrder']

const ORDERS: Record<Order, { label: string; means: string }> = {
  random: { label: 'As the seed draws it', means: 'Everybody works through the same drawn order.' },
  uncertainty: {
    label: 'The least certain first',
    means: 'By the answers so far, and by a reward model’s margin where rows bring one. Pairs only.',
  },
  begun: { label: 'What others have begun first', means: 'So that what two people are to answer is soon done.' },
  priority: { label: 'The most urgent first', means: 'By the priority, a number, that rows bring.' },
}
const NAMES = Object.keys(ORDERS) as Order[]

/** For the form of a new campaign. */
export function OrderField({ isOfPairs }: { isOfPairs: boolean }) {
  return (
    <Field label="People get first" {...(isOfPairs && { hint: 'Gold comes in between, whatever the order.' })}>
      {(attributes) => (
        <select {...attributes} name="order" defaultValue="random">
          {NAMES.filter((name) => isOfPairs || name !== 'uncertainty').map((name) => (
            <option key={name} value={name}>
              {ORDERS[name].label}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
}

export function ItemOrder({
  params,
  campaign: { itemOrder, kind, priorities, margins },
  isLead,
}: {
  params: { project: string; campaign: string }
  campaign: Pick<Campaign, 'itemOrder' | 'kind' | 'priorities' | 'margins'>
  isLead: boolean
}) {
  const [isOpen, setOpen] = useState(false)
  const set = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/order', () => setOpen(false))
  if (itemOrder === 'random' && !isLead) return null
  const brings =
    itemOrder === 'priority'
      ? `, ${many(priorities, 'row')} bring one`
      : itemOrder === 'uncertainty' && margins > 0
        ? `, with the margins of ${many(margins, 'row')}`
        : ''
  return (
    <div className="row">
      <span>
        Order: {ORDERS[itemOrder].label.toLowerCase()}
        <span className="soft">{brings}</span>
      </span>
      {isLead && !isOpen && (
        <button type="button" className="quiet" onClick={() => setOpen(true)}>
          Change the order
        </button>
      )}
      {isOpen && (
        <fieldset className="checks">
          <legend>People get first</legend>
          {NAMES.filter((name) => kind === 'pairs' || name !== 'uncertainty').map((name) => (
            <label key={name} className="check">
              <input
                type="radio"
                name="order"
                checked={name === itemOrder}
                disabled={set.isPending}
                onChange={() => set.mutate({ params, body: { order: name } })}
              />
              <span>
                {ORDERS[name].label}
                <span className="soft block">{ORDERS[name].means}</span>
              </span>
            </label>
          ))}
          <Problem error={set.error} />
          <button type="button" onClick={() => setOpen(false)}>
            Leave it
          </button>
        </fieldset>
      )}
    </div>
  )
}
