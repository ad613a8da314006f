// Withdrawing answers: whose, given when, under which guideline; what hangs on them shows before it is done, and it can be
// taken back.
import { type FormEvent, useState } from 'react'
import type { AnswerOf, QueryGiven } from '#server/contract'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, textsOf, Time } from '../parts.tsx'
import { AgainWords } from './again.tsx'
import { useProject } from './project.tsx'
import { many } from './words.ts'

const EFFECT = 'GET /api/projects/{project}/withdrawals/effect'
const LIST = 'GET /api/projects/{project}/withdrawals'
type Rule = NonNullable<QueryGiven<typeof EFFECT>>
type Withdrawal = AnswerOf<typeof LIST>['withdrawals'][number]

export function WithdrawalsScreen() {
  const { slug } = useProject()
  const [rule, setRule] = useState<Rule>()
  const list = useGet(LIST, { params: { project: slug } })
  return (
    <main id="content" className="page">
      <h1>Withdraw answers</h1>
      <p className="soft">
        Withdrawn answers stay in the history and no longer count; their pairs want others in their place. What was made
        of them is listed first, and can be trained again without them afterwards.
      </p>
      <RuleForm slug={slug} onLook={setRule} />
      {rule && <Effect key={JSON.stringify(rule)} slug={slug} rule={rule} onDone={() => setRule(undefined)} />}
      {list.data && list.data.dependants.length > 0 && (
        <section aria-labelledby="resting">
          <h2 id="resting">Still made of withdrawn answers</h2>
          <p className="soft">
            A model among these is refused at the gate; one that was trained again without them is not, and neither is
            any once the withdrawal is taken back.
          </p>
          <Resting slug={slug} dependants={list.data.dependants} />
        </section>
      )}
      <section aria-labelledby="withdrawn">
        <h2 id="withdrawn">Withdrawn so far</h2>
        {list.isPending && <Loading />}
        {list.isError && <Problem error={list.error} />}
        {list.data?.withdrawals.length === 0 && <Empty title="Nothing was withdrawn" />}
        {list.data && list.data.withdrawals.length > 0 && (
          <ul className="said">
            {list.data.withdrawals.map((each) => (
              <Line key={each.id} slug={slug} withdrawal={each} />
            ))}
          </ul>
        )}
      </section>
    </main>
  )
}

function RuleForm({ slug, onLook }: { slug: string; onLook: (rule: Rule) => void }) {
  const people = useGet('GET /api/projects/{project}/people', { params: { project: slug } })
  const guidelines = useGet('GET /api/projects/{project}/guideline', { params: { project: slug } })
  const [hint, setHint] = useState('')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const rule: Rule = {
      ...(text('user') !== '' && { user: text('user') }),
      ...(text('guideline') !== '' && { guideline: text('guideline') }),
      ...(text('from') !== '' && { from: new Date(text('from')).toISOString() }),
      ...(text('until') !== '' && { until: new Date(text('until')).toISOString() }),
    }
    if (Object.keys(rule).length === 0) return setHint('Choose a person, a time or a guideline.')
    setHint('')
    onLook(rule)
  }
  return (
    <form className="panel" aria-label="What to withdraw" onSubmit={submit}>
      <div className="row">
        <Field label="Whose">
          {(attributes) => (
            <select {...attributes} name="user" defaultValue="">
              <option value="">everybody’s</option>
              {people.data?.people.map(({ user, name }) => (
                <option key={user} value={user}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Under which guideline">
          {(attributes) => (
            <select {...attributes} name="guideline" defaultValue="">
              <option value="">any version</option>
              {guidelines.data?.versions.map(({ id, number }) => (
                <option key={id} value={id}>
                  version {number}
                </option>
              ))}
            </select>
          )}
        </Field>
        <Field label="Given from">{(attributes) => <input {...attributes} name="from" type="datetime-local" />}</Field>
        <Field label="until">{(attributes) => <input {...attributes} name="until" type="datetime-local" />}</Field>
      </div>
      {hint !== '' && (
        <p className="problem" role="alert">
          {hint}
        </p>
      )}
      <div className="row">
        <button type="submit">Look what hangs on them</button>
      </div>
    </form>
  )
}

function Effect({ slug, rule, onDone }: { slug: string; rule: Rule; onDone: () => void }) {
  const effect = useGet(EFFECT, { params: { project: slug }, query: rule })
  const withdraw = useWrite('POST /api/projects/{project}/withdrawals', onDone)
  if (!effect.data) return effect.isError ? <Problem error={effect.error} /> : <Loading />
  const { judgements, campaigns, people, dependants } = effect.data
  if (judgements === 0) return <Empty title="No answer that counts is meant by this" />
  const submit = (event: FormEvent<HTMLFormElement>): void =>
    withdraw.mutate({ params: { project: slug }, body: { rule, reason: textsOf(event)('reason') } })
  return (
    <section className="panel" aria-label="What hangs on them">
      <p>
        <b>{many(judgements, 'answer')}</b> by {people.map((one) => `${one.name} (${one.judgements})`).join(', ')} in{' '}
        {campaigns.map((one) => `${one.name} (${one.judgements})`).join(', ')}.
      </p>
      {dependants.length === 0 ? (
        <p className="soft">Nothing was made of them yet.</p>
      ) : (
        <Dependants dependants={dependants} />
      )}
      <form onSubmit={submit}>
        <Field label="Reason">
          {(attributes) => <input {...attributes} name="reason" required maxLength={2000} />}
        </Field>
        <Problem error={withdraw.error} />
        <div className="row">
          <button type="submit" className="primary" disabled={withdraw.isPending}>
            Withdraw {many(judgements, 'answer')}
          </button>
          <button type="button" onClick={onDone}>
            Leave it
          </button>
        </div>
      </form>
    </section>
  )
}

type Dependant = AnswerOf<typeof EFFECT>['dependants'][number]

function Dependants({ dependants }: { dependants: readonly Dependant[] }) {
  return (
    <ul className="said">
      {dependants.map((each) => (
        <li key={`${each.kind} ${each.label}`}>
          <Named {...each} />
        </li>
      ))}
    </ul>
  )
}

function Resting({ slug, dependants }: { slug: string; dependants: AnswerOf<typeof LIST>['dependants'] }) {
  return (
    <ul className="said">
      {dependants.map((each) => (
        <li key={`${each.kind} ${each.label}`}>
          <Named {...each} />
          {each.again && <AgainWords slug={slug} again={each.again} />}
        </li>
      ))}
    </ul>
  )
}

function Named({ kind, label, rows }: Dependant) {
  return (
    <>
      {kind} <span className="mono">{label}</span>
      {rows !== null && <span className="soft"> {many(rows, 'row')} of it</span>}
    </>
  )
}

function Line({ slug, withdrawal }: { slug: string; withdrawal: Withdrawal }) {
  const { id, person, from, until, guidelineNumber, reason, by, at, judgements, undoes, isUndone } = withdrawal
  const undo = useWrite('POST /api/projects/{project}/withdrawals/{withdrawal}/undo')
  return (
    <li>
      <b>
        {undoes === null
          ? `${many(judgements, 'answer')} of ${person ?? 'everybody'} withdrawn`
          : `${many(judgements, 'answer')} taken back`}
      </b>
      {guidelineNumber !== null && `, guideline version ${guidelineNumber}`}
      {from !== null && (
        <>
          , from <Time at={from} />
        </>
      )}
      {until !== null && (
        <>
          , until <Time at={until} />
        </>
      )}{' '}
      <span className="soft">
        {by}, <Time at={at} />
        {isUndone && ' · taken back'}
      </span>
      <p>{reason}</p>
      {undoes === null && !isUndone && (
        <button
          type="button"
          disabled={undo.isPending}
          onClick={() => {
            const why = window.prompt('Why should they count again?')
            if (why) undo.mutate({ params: { project: slug, withdrawal: id }, body: { reason: why } })
          }}
        >
          Take it back
        </button>
      )}
      <Problem error={undo.error} />
    </li>
  )
}
