// Adjudication, one item after the other: first with one's own eyes, then with what everybody answered, then settled.
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { LINE, type Made, OFF_LINE, type Place, wordsOf } from '../annotate/answer.ts'
import { type Command, useCommands } from '../annotate/commands.ts'
import { type Mark, Pair } from '../annotate/pair.tsx'
import { Scale } from '../annotate/scale.tsx'
import { useViewCommands, ViewBar } from '../annotate/view.tsx'
import { AnswerLine } from '../answer-line.tsx'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { many } from './words.ts'

const CASE = 'GET /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication'
const SETTLE = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/adjudication'
type Case = AnswerOf<typeof CASE>
type Params = { project: string; campaign: string; item: string }
type Queue = AnswerOf<'GET /api/projects/{project}/campaigns/{campaign}/adjudication'>
type Settle = 'decided' | 'subjective' | 'excluded' | 'reopened'

const BECAUSE = { flagged: 'flagged', split: 'people differ', 'cannot judge': 'most could not judge' } as const

export function AdjudicateScreen() {
  const { project, campaign, item } = useParams({ strict: false }) as Omit<Params, 'item'> & { item?: string }
  const navigate = useNavigate()
  const [later, setLater] = useState<readonly string[]>([])
  /** False once somebody went elsewhere while a settlement was on its way: they are not fetched back. */
  const isHere = useRef(true)
  useEffect(() => {
    isHere.current = true
    return () => void (isHere.current = false)
  }, [])
  const queue = useGet('GET /api/projects/{project}/campaigns/{campaign}/adjudication', {
    params: { project, campaign },
  })
  if (queue.isPending) return <Loading />
  if (queue.isError)
    return (
      <main id="content" className="page">
        <h1>Adjudication cannot be opened</h1>
        <Problem error={queue.error} />
      </main>
    )
  const open = queue.data.waiting.filter(({ isOwn }) => !isOwn)
  const next = open.find(({ id }) => !later.includes(id)) ?? open[0]
  const shown = item ?? next?.id
  const own = queue.data.waiting.length - open.length
  return (
    <main id="content" className="page annotate adjudicate">
      <header className="annotate-head">
        <h1>Adjudicate</h1>
        <p className="soft">
          {many(open.length, 'pair')} to settle
          {own > 0 && ` · ${own} that you judged wait for somebody else`}
        </p>
        <Link to="/p/$project/campaigns/$campaign" params={{ project, campaign }}>
          Campaign
        </Link>
      </header>
      {shown === undefined ? (
        <Empty title="Nothing waits for you here">
          <p>Pairs come here when all their answers are in and people differ, or when somebody flags one.</p>
        </Empty>
      ) : (
        <OneCase
          key={shown}
          params={{ project, campaign, item: shown }}
          queued={queue.data.waiting.find(({ id }) => id === shown)}
          onNext={(isLater) => {
            if (isLater) setLater([...later.filter((id) => id !== shown), shown])
            if (item !== undefined && isHere.current)
              void navigate({ to: '/p/$project/adjudicate/$campaign', params: { project, campaign } })
          }}
        />
      )}
    </main>
  )
}

function OneCase({
  params,
  queued,
  onNext,
}: {
  params: Params
  queued: Queue['waiting'][number] | undefined
  onNext: (isLater: boolean) => void
}) {
  const found = useGet(CASE, { params })
  const start = useRef<HTMLHeadingElement>(null)
  const isThere = found.data !== undefined
  useEffect(() => {
    if (isThere) start.current?.focus({ preventScroll: true })
  }, [isThere])
  if (!found.data) return found.isError ? <Problem error={found.error} /> : <Loading />
  const { first, shown, isOwn } = found.data
  return (
    <>
      <h2 className="unseen" tabIndex={-1} ref={start}>
        Which of the two is better?
      </h2>
      {queued && <p className="soft">Here because: {queued.because.map((why) => BECAUSE[why]).join(', ')}</p>}
      <ViewBar keys={{}} />
      <Pair {...found.data} marks={shown ? marksIn(shown) : []} />
      {isOwn ? (
        <p className="away">You judged this pair yourself; somebody else settles it.</p>
      ) : first && shown ? (
        <Settling params={params} first={first} shown={shown} onNext={onNext} />
      ) : (
        <FirstLook params={params} onLater={() => onNext(true)} />
      )}
    </>
  )
}

function marksIn({ answers }: NonNullable<Case['shown']>): Mark[] {
  return answers.flatMap(({ person, highlights }) => highlights.map((each) => ({ ...each, by: person })))
}

function placesOf(offLine: readonly Place[], pick: (place: Place) => void): Command[] {
  return [...LINE, ...offLine].map((place) => ({ key: place.key, label: place.label, run: () => pick(place) }))
}

function FirstLook({ params, onLater }: { params: Params; onLater: () => void }) {
  const [made, setMade] = useState<Made>({})
  const [hint, setHint] = useState('')
  const look = useWrite('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/first-look')
  const pick = ({ choice, strength }: Place): void => setMade({ choice, strength })
  const show = (): void => {
    const { choice, strength } = made
    if (choice === undefined) setHint('Choose first: 1 to 9, 0 or x.')
    else look.mutate({ params, body: { choice, ...(strength !== undefined && { strength }) } })
  }
  const views = useViewCommands()
  useCommands(
    [
      ...placesOf(OFF_LINE, pick),
      ...views,
      { key: 'Enter', label: 'Show what others said', run: show },
      { key: 'n', label: 'Later', run: onLater },
    ],
    look.isPending,
  )
  return (
    <section className="answer" aria-label="Your own answer">
      <p className="soft">Answer it yourself first. What others said shows after that.</p>
      <Scale made={made} onPick={pick} isOff={look.isPending} />
      <div className="answer-acts">
        <button type="button" className="primary" disabled={look.isPending} onClick={show} aria-keyshortcuts="Enter">
          Show what others said <kbd>↵</kbd>
        </button>
        <button type="button" className="quiet" onClick={onLater} aria-keyshortcuts="n">
          Later <kbd>n</kbd>
        </button>
      </div>
      {hint !== '' && made.choice === undefined && (
        <p className="problem" role="alert">
          {hint}
        </p>
      )}
      <Problem error={look.error} />
    </section>
  )
}

const DECIDABLE = OFF_LINE.filter(({ choice }) => choice !== 'cannot-judge')

function Settling({
  params,
  first,
  shown,
  onNext,
}: {
  params: Params
  first: NonNullable<Case['first']>
  shown: NonNullable<Case['shown']>
  onNext: (isLater: boolean) => void
}) {
  const [made, setMade] = useState<Made>({})
  const [reason, setReason] = useState('')
  const [hint, setHint] = useState('')
  const key = useRef(crypto.randomUUID())
  const field = useRef<HTMLTextAreaElement>(null)
  const [holds] = shown.history
  const isSettled = holds !== undefined && holds.outcome !== 'reopened'
  const settle = useWrite(SETTLE, () => {
    key.current = crypto.randomUUID()
    onNext(false)
  })
  const pick = ({ choice, strength }: Place): void => setMade({ choice, strength })
  const as = (outcome: Settle) => (): void => {
    const { choice, strength } = made
    if (outcome === 'decided' && (choice === undefined || choice === 'cannot-judge'))
      return setHint('Choose what holds: 1 to 9 or 0.')
    if (reason.trim() === '') {
      setHint('Give the reason: it is what others learn from.')
      return field.current?.focus()
    }
    setHint('')
    const decision =
      outcome === 'decided' && choice !== undefined && choice !== 'cannot-judge'
        ? { choice, ...(strength !== undefined && { strength }) }
        : {}
    settle.mutate({ params, body: { key: key.current, before: holds?.id ?? null, outcome, reason, ...decision } })
  }
  const acts: (Command & { key: string })[] = [
    { key: 'Enter', label: 'Decide', run: as('decided'), isAlsoWithControl: true },
    { key: 't', label: 'Truly subjective', run: as('subjective') },
    { key: 'w', label: 'Wrong pair, leave it out', run: as('excluded') },
    { key: 'b', label: 'Back to the queue', run: as('reopened'), isOff: !isSettled },
    { key: 'n', label: 'Later', run: () => onNext(true) },
  ]
  const views = useViewCommands()
  useCommands(
    [...placesOf(DECIDABLE, pick), ...acts, ...views, { key: 'r', label: 'Reason', run: () => field.current?.focus() }],
    settle.isPending,
  )
  return (
    <>
      <section aria-labelledby="said">
        <h2 id="said">What people said</h2>
        <AnswerLine answers={shown.answers} />
        <ul className="said">
          {shown.answers.map(({ person, choice, strength, reason: why, at }) => (
            <li key={`${person} ${at}`}>
              <b>{wordsOf(choice, strength)}</b> <span className="soft">{person}</span>
              {why !== '' && <p>{why}</p>}
            </li>
          ))}
          <li className="soft">You, before you saw this: {wordsOf(first.choice, first.strength)}</li>
          {shown.flags.map(({ person, note, at }) => (
            <li key={`${person} ${at}`}>
              <b className="warm">Flagged</b> <span className="soft">{person}</span>
              <p>{note}</p>
            </li>
          ))}
        </ul>
      </section>
      {shown.history.length > 0 && <History history={shown.history} />}
      <section className="answer" aria-label="Your decision">
        <Scale made={made} onPick={pick} isOff={settle.isPending} offLine={DECIDABLE} />
        <Field label="Reason">
          {(attributes) => (
            <textarea
              {...attributes}
              ref={field}
              rows={2}
              maxLength={4000}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
        </Field>
        <div className="answer-acts">
          {acts.map(({ key: short, label, run, isOff }) =>
            isOff === true ? null : (
              <button
                key={short}
                type="button"
                className={short === 'Enter' ? 'primary' : 'quiet'}
                disabled={settle.isPending}
                onClick={run}
                aria-keyshortcuts={short}
              >
                {label} <kbd>{short === 'Enter' ? '↵' : short}</kbd>
              </button>
            ),
          )}
        </div>
        {hint !== '' && (
          <p className="problem" role="alert">
            {hint}
          </p>
        )}
        <Problem error={settle.error} />
      </section>
    </>
  )
}

const OUTCOMES: Record<Settle, string> = {
  decided: 'Decided',
  subjective: 'Truly subjective',
  excluded: 'Wrong, left out',
  reopened: 'Back to the queue',
}

function History({ history }: { history: NonNullable<Case['shown']>['history'] }) {
  return (
    <section aria-labelledby="history">
      <h2 id="history">Settled before</h2>
      <ul className="said">
        {history.map(({ id, by, outcome, choice, strength, reason, at }, i) => (
          <li key={id}>
            <b>
              {OUTCOMES[outcome]}
              {choice !== null && `: ${wordsOf(choice, strength)}`}
            </b>{' '}
            <span className="soft">
              {by}, <Time at={at} />
              {i === 0 && ' · holds'}
            </span>
            <p>{reason}</p>
          </li>
        ))}
      </ul>
    </section>
  )
}
