// Gold of a campaign, for leads: how often it is mixed in, the qualification before the first task, and which items are gold
// with what is better and why. Of a gold item that most people get wrong the answer itself is to be doubted.
import { Link, useParams } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import type { AnswerOf, BodyGiven } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, textsOf } from '../parts.tsx'
import { PauseRules } from './pausing.tsx'
import { many } from './words.ts'

const CAMPAIGN = 'GET /api/projects/{project}/campaigns/{campaign}'
const ITEMS = 'GET /api/projects/{project}/campaigns/{campaign}/items'
const SET = 'PUT /api/projects/{project}/campaigns/{campaign}/gold'
type Campaign = AnswerOf<typeof CAMPAIGN>
type Item = AnswerOf<typeof ITEMS>['items'][number]
type Params = { project: string; campaign: string }
const AT_ONCE = 20

export function GoldScreen() {
  const params = useParams({ from: '/signed-in/p/$project/campaigns/$campaign/gold' })
  const campaign = useGet(CAMPAIGN, { params })
  if (!campaign.data)
    return campaign.isError ? (
      <main id="content" className="page">
        <h1>This campaign cannot be opened</h1>
        <Problem error={campaign.error} />
      </main>
    ) : (
      <Loading />
    )
  return (
    <main id="content" className="page">
      <h1>Gold and qualification</h1>
      <p className="soft">
        Pairs whose answer is known measure people; they do not train the reward model. In{' '}
        <Link to="/p/$project/campaigns/$campaign" params={params}>
          {campaign.data.name}
        </Link>
        , {many(campaign.data.goldItems, 'gold pair')}.
      </p>
      <PauseRules key={`pause ${campaign.data.goldItems}`} params={params} campaign={campaign.data} />
      <Rules key={campaign.data.goldItems} params={params} campaign={campaign.data} />
      <Items params={params} hasGold={campaign.data.goldItems > 0} />
    </main>
  )
}

function Rules({ params, campaign }: { params: Params; campaign: Campaign }) {
  const { goldRate, qualification, goldItems } = campaign
  const [kind, setKind] = useState<'none' | 'right' | 'low'>(
    qualification === null ? 'none' : 'right' in qualification.mark ? 'right' : 'low',
  )
  const set = useWrite(SET)
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const mark = kind === 'right' ? { right: Number(text('right')) } : { low: Number(text('low')) }
    const body: BodyGiven<typeof SET> = {
      goldRate: Number(text('rate')) / 100,
      qualification: kind === 'none' ? null : { items: Number(text('items')), mark, mayRetry: text('retry') === 'on' },
    }
    set.mutate({ params, body })
  }
  const known = qualification?.mark
  return (
    <form className="panel" aria-label="Rules" onSubmit={submit}>
      <div className="row">
        <Field label="Gold among the tasks, %" hint="Mixed in by lot; nobody sees which.">
          {(attributes) => (
            <input
              {...attributes}
              name="rate"
              type="number"
              min={0}
              max={50}
              step="any"
              required
              defaultValue={Number((goldRate * 100).toFixed(2))}
            />
          )}
        </Field>
        <Field label="Before the first task" hint="A round of gold pairs that is passed or not.">
          {(attributes) => (
            <select
              {...attributes}
              value={kind}
              onChange={(event) => setKind(event.target.value as 'none' | 'right' | 'low')}
            >
              <option value="none">no qualification</option>
              <option value="right">so many right</option>
              <option value="low">a lower bound of the share</option>
            </select>
          )}
        </Field>
      </div>
      {kind !== 'none' && (
        <div className="row">
          <Field label="Pairs in the round" hint={`Of ${many(goldItems, 'gold pair')}.`}>
            {(attributes) => (
              <input
                {...attributes}
                name="items"
                type="number"
                min={1}
                max={200}
                required
                defaultValue={qualification?.items ?? Math.min(10, Math.max(1, goldItems))}
              />
            )}
          </Field>
          {kind === 'right' ? (
            <Field label="Right answers asked for" hint="Ties and both bad count half.">
              {(attributes) => (
                <input
                  {...attributes}
                  name="right"
                  type="number"
                  min={0.5}
                  step={0.5}
                  required
                  defaultValue={
                    known && 'right' in known ? known.right : Math.ceil(0.75 * Math.min(10, goldItems || 10))
                  }
                />
              )}
            </Field>
          ) : (
            <Field label="Lower bound asked for" hint="95% Wilson, of the share of right answers.">
              {(attributes) => (
                <input
                  {...attributes}
                  name="low"
                  type="number"
                  min={0.01}
                  max={0.99}
                  step="any"
                  required
                  defaultValue={known && 'low' in known ? known.low : 0.5}
                />
              )}
            </Field>
          )}
          <label className="check">
            <input type="checkbox" name="retry" defaultChecked={qualification?.mayRetry ?? true} /> May try again after
            reading the guideline again
          </label>
        </div>
      )}
      <Problem error={set.error} />
      <div className="row">
        <button type="submit" className="primary" disabled={set.isPending}>
          Keep these rules
        </button>
        {set.isSuccess && <p role="status">Kept.</p>}
      </div>
    </form>
  )
}

function Items({ params, hasGold }: { params: Params; hasGold: boolean }) {
  const [isGoldOnly, setGoldOnly] = useState(hasGold)
  const [from, setFrom] = useState(0)
  const items = useGet(ITEMS, { params, query: { from, ...(isGoldOnly && { only: 'gold' as const }) } })
  return (
    <section aria-labelledby="items">
      <h2 id="items">Pairs</h2>
      <div className="row">
        <label className="check">
          <input
            type="checkbox"
            checked={isGoldOnly}
            onChange={(event) => {
              setFrom(0)
              setGoldOnly(event.target.checked)
            }}
          />{' '}
          Gold ones only
        </label>
      </div>
      {items.isPending && <Loading />}
      {items.isError && <Problem error={items.error} />}
      {items.data?.items.length === 0 && (
        <Empty title="No gold pair yet">
          <p>Mark some below all pairs, or import rows with gold: "a" or "b", and goldReason.</p>
        </Empty>
      )}
      {items.data?.items.map((item) => (
        <GoldItem key={item.id} params={params} item={item} />
      ))}
      <div className="row">
        {from > 0 && (
          <button type="button" onClick={() => setFrom(Math.max(0, from - AT_ONCE))}>
            Before
          </button>
        )}
        {items.data && !items.data.isLast && (
          <button type="button" onClick={() => setFrom(from + AT_ONCE)}>
            Next
          </button>
        )}
      </div>
    </section>
  )
}

function GoldItem({ params, item }: { params: Params; item: Item }) {
  const { id, prompt, a, b, judged, gold, note, right } = item
  const mark = useWrite('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/gold')
  const [why, setWhy] = useState(note ?? '')
  const as = (better: 'a' | 'b' | null): void =>
    mark.mutate({ params: { ...params, item: id }, body: { better, note: better === null ? '' : why } })
  const text = typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')
  const side = (name: 'a' | 'b', shown: string, label: string) => (
    <div className="side" data-better={gold === name}>
      <p className="text">{shown}</p>
      <button type="button" disabled={mark.isPending || gold === name} onClick={() => as(name)}>
        {gold === name ? 'Better, by gold' : label}
      </button>
    </div>
  )
  return (
    <article className="panel gold-item" aria-label={`Pair ${item.item}`}>
      <p className="prompt text">{text}</p>
      <div className="pair">
        {side('a', a, 'This one is better')}
        {side('b', b, 'This one is better')}
      </div>
      <div className="row">
        <Field label="Why" hint="Shown to who fails a qualification over it.">
          {(attributes) => (
            <input {...attributes} value={why} maxLength={2000} onChange={(event) => setWhy(event.target.value)} />
          )}
        </Field>
        {gold !== null && (
          <>
            <button type="button" disabled={mark.isPending || why === (note ?? '')} onClick={() => as(gold)}>
              Keep the reason
            </button>
            <button type="button" disabled={mark.isPending} onClick={() => as(null)}>
              Not gold
            </button>
          </>
        )}
      </div>
      <p className="soft">
        {gold === null
          ? many(judged, 'answer')
          : judged === 0
            ? 'Nobody has met it yet.'
            : `${right ?? 0} of ${many(judged, 'answer')} right`}
        {gold !== null && right !== null && judged >= 3 && right < judged / 2 && (
          <b className="warm"> · most get it wrong: is it plain?</b>
        )}
      </p>
      <Problem error={mark.error} />
    </article>
  )
}
