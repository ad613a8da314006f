// Reviewing what somebody else wrote: accept it, fix it and accept, or send it back with a reason. Who wrote is not told.
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useEffect, useRef, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { type Command, useCommands } from '../annotate/commands.ts'
import { GuidelineText, Sheet } from '../annotate/guideline.tsx'
import { PromptText } from '../annotate/pair.tsx'
import { ApiError, call, useGet } from '../api.ts'
import { Empty, Field, Loading, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { Changes } from './changes.tsx'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/review'
type Reviewing = AnswerOf<typeof KEY>

export function ReviewScreen() {
  const params = useParams({ from: '/signed-in/p/$project/review/$campaign' })
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [error, setError] = useState<Error | null>(null)
  const review = useGet(KEY, { params })
  useEffect(() => () => void queries.invalidateQueries(), [queries])
  if (review.isPending) return <Loading />
  if (review.isError)
    return (
      <main id="content" className="page">
        <h1>This campaign cannot be reviewed</h1>
        <Problem error={review.error} />
      </main>
    )
  const { campaign, guideline, waiting, next, mine } = review.data
  const show = (data: Reviewing): void => {
    setError(null)
    queries.setQueryData([KEY, params, {}], data)
  }
  const stay = (refusal: Error): void => {
    setError(refusal)
    void review.refetch()
  }
  const undo = (submission: string): void =>
    void call('POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review-undo', {
      params: { ...params, submission },
    }).then(show, stay)
  const last = mine[0]
  const mayUndo = campaign.state === 'open'
  return (
    <main id="content" className="page annotate">
      <header className="annotate-head">
        <h1>{campaign.name}</h1>
        <p className="soft">{many(waiting, 'answer')} to review</p>
      </header>
      <Problem error={error} />
      {next ? (
        <ReviewForm
          key={next.id}
          next={next}
          guideline={guideline}
          params={{ ...params, submission: next.id }}
          onNext={show}
          onStale={stay}
          onUndo={mayUndo && last ? () => undo(last.submission) : undefined}
        />
      ) : (
        <Empty title="Nothing waits for your review">
          <p>What people write comes here, but for what you wrote yourself.</p>
          <div className="row">
            <button type="button" onClick={() => void review.refetch()}>
              Look again
            </button>
            <button
              type="button"
              onClick={() => void navigate({ to: '/p/$project', params: { project: params.project } })}
            >
              Project home
            </button>
          </div>
        </Empty>
      )}
      {mine.length > 0 && <Mine mine={mine} onUndo={mayUndo ? undo : undefined} />}
    </main>
  )
}

const OUTCOMES = { accepted: 'accepted', fixed: 'fixed and accepted', returned: 'sent back' } as const

function Mine({ mine, onUndo }: Pick<Reviewing, 'mine'> & { onUndo: ((submission: string) => void) | undefined }) {
  return (
    <section aria-labelledby="mine">
      <h2 id="mine">Your last reviews</h2>
      <ul className="waits">
        {mine.map(({ submission, opening, outcome, reason }) => (
          <li key={submission}>
            <span className="tag">{OUTCOMES[outcome]}</span> {opening}
            {onUndo && (
              <button type="button" className="quiet" onClick={() => onUndo(submission)}>
                Take back<span className="unseen"> your review of {opening}</span>
              </button>
            )}
            {reason !== '' && <span className="soft block">{reason}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}

function ReviewForm({
  next,
  guideline,
  params,
  onNext,
  onStale,
  onUndo,
}: {
  next: NonNullable<Reviewing['next']>
  guideline: Reviewing['guideline']
  params: { project: string; campaign: string; submission: string }
  onNext: (data: Reviewing) => void
  onStale: (error: Error) => void
  /** Takes back what was reviewed last; undefined: nothing was, or the campaign is not open. */
  onUndo: (() => void) | undefined
}) {
  const { prompt, drafted, completion, tokens, editedWords, before, own } = next
  const [text, setText] = useState(own?.completion ?? completion)
  const [reason, setReason] = useState(own?.reason ?? '')
  const [isFixing, setFixing] = useState(typeof own?.completion === 'string')
  const [isBusy, setBusy] = useState(false)
  const [hint, setHint] = useState('')
  const [isOpen, setOpen] = useState(false)
  const box = useRef<HTMLTextAreaElement>(null)
  const why = useRef<HTMLTextAreaElement>(null)
  const isSending = useRef(false)
  useEffect(() => {
    if (isFixing) box.current?.focus()
  }, [isFixing])
  const isFixed = isFixing && text !== completion

  const send = async (outcome: 'accepted' | 'fixed' | 'returned'): Promise<void> => {
    if (isSending.current) return
    isSending.current = true
    setBusy(true)
    try {
      const body = { outcome, reason, ...(outcome === 'fixed' && { text }) }
      onNext(
        await call('POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review', {
          params,
          body,
        }),
      )
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) onStale(error)
      else setHint((error as Error).message)
    } finally {
      isSending.current = false
      setBusy(false)
    }
  }
  const accept = (): void => {
    setHint('')
    if (isFixing && text.trim() === '') return setHint('An answer cannot be blank: send it back instead.')
    void send(isFixed ? 'fixed' : 'accepted')
  }
  const sendBack = (): void => {
    if (reason.trim() !== '') return void send('returned')
    setHint('Say what is to be changed.')
    why.current?.focus()
  }
  const commands: Command[] = [
    { key: 'Enter', label: isFixed ? 'Accept as fixed' : 'Accept', run: accept, isAlsoWithControl: true },
    { key: 'e', label: 'Fix it', run: () => setFixing(true), isOff: isFixing },
    { key: 'b', label: 'Send back', run: sendBack },
    { key: 'r', label: 'Reason', run: () => why.current?.focus() },
    { key: 'u', label: 'Undo', run: () => onUndo?.(), isOff: !onUndo },
    { key: 'g', label: 'Guideline', run: () => setOpen(true) },
  ]
  useCommands(commands, isBusy)
  return (
    <>
      <PromptText prompt={prompt} />
      {own && (
        <p className="away" role="note">
          <b>You took back your review of this one.</b> What you wrote then stands below.
        </p>
      )}
      {before && (
        <section className="panel" aria-label="Sent back before">
          <p>
            <b>Sent back before:</b> {before.reason}
          </p>
          <Changes before={before.completion} after={completion} />
        </section>
      )}
      <section className="side" aria-label="Answer">
        <h2>
          Answer
          {tokens !== null && `, ${tokens.toLocaleString('en')} tokens`}
          {editedWords !== null && `, ${many(editedWords, 'word')} changed in the drafted one`}
        </h2>
        {isFixing ? (
          <textarea
            ref={box}
            rows={10}
            maxLength={20_000}
            aria-label="The answer, to be fixed"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        ) : drafted !== null && !before ? (
          <Changes before={drafted} after={completion} />
        ) : (
          <p className="text">{completion}</p>
        )}
      </section>
      <section className="answer" aria-label="Your word">
        {isFixed && <Changes before={completion} after={text} />}
        <Field label="Reason (asked for when it is sent back)">
          {(attributes) => (
            <textarea
              {...attributes}
              ref={why}
              rows={1}
              maxLength={4000}
              value={reason}
              onChange={(event) => {
                setHint('')
                setReason(event.target.value)
              }}
            />
          )}
        </Field>
        <div className="answer-acts">
          {commands.map(({ key, label, run, isOff }) => (
            <button
              key={key}
              type="button"
              className={key === 'Enter' ? 'primary' : 'quiet'}
              disabled={isBusy || isOff === true}
              onClick={run}
              aria-keyshortcuts={key}
            >
              {label} <kbd>{key === 'Enter' ? '↵' : key}</kbd>
            </button>
          ))}
        </div>
        {hint !== '' && (
          <p className="problem" role="alert">
            {hint}
          </p>
        )}
      </section>
      {isOpen && (
        <Sheet title={`Guideline, version ${guideline.number}`} onClose={() => setOpen(false)}>
          <GuidelineText text={guideline.text} />
        </Sheet>
      )}
    </>
  )
}
