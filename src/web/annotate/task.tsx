// One task: the pair, the answer in the making, and what can be done with it. What is made is saved as it is made.
import { useEffect, useRef, useState } from 'react'
import { call } from '../api.ts'
import { Field } from '../parts.tsx'
import { useMe } from '../who.ts'
import { useActiveSeconds } from './active-time.ts'
import { LINE, type Made, OFF_LINE, type Place, wordsOf } from './answer.ts'
import { type Command, useCommands } from './commands.ts'
import { GuidelineText, Sheet } from './guideline.tsx'
import { send, waiting } from './outbox.ts'
import { Pair } from './pair.tsx'
import { Scale } from './scale.tsx'
import { isRefusal, type Work } from './work.ts'

type Props = {
  task: NonNullable<Work['task']>
  guideline: Work['guideline']
  past: Work['past']
  params: { project: string; campaign: string; item: string }
  onWork: (work: Work) => void
  onAway: (isAway: boolean) => void
  onRefused: (error: Error) => Promise<void>
}
type Open = 'guideline' | 'shortcuts' | 'past' | 'flag' | undefined

const DRAFT_MILLISECONDS = 700
const HEARTBEAT_MILLISECONDS = 60_000

export function TaskForm({ task, guideline, past, params, onWork, onAway, onRefused }: Props) {
  const me = useMe()
  const [made, setMade] = useState<Made>(task.draft ?? {})
  const [isBusy, setBusy] = useState(false)
  const [hint, setHint] = useState('')
  const [open, setOpen] = useState<Open>()
  const reason = useRef<HTMLTextAreaElement>(null)
  const start = useRef<HTMLHeadingElement>(null)
  const isSending = useRef(false)
  const activeSeconds = useActiveSeconds()
  useEffect(() => start.current?.focus({ preventScroll: true }), [])
  const forgetDraft = useDraft(made, task.draft, params)
  useHeartbeat(params)

  /** One request at a time, whatever keys and clicks come meanwhile. */
  const act = async (ask: () => Promise<Work>): Promise<void> => {
    if (isSending.current) return
    isSending.current = true
    setBusy(true)
    try {
      onWork(await ask())
    } catch (error) {
      if (isRefusal(error)) await onRefused(error)
      else setHint((error as Error).message)
    } finally {
      isSending.current = false
      setBusy(false)
    }
  }
  const submit = (): void => {
    const { choice, strength } = made
    if (choice === undefined) {
      setHint('Choose first: 1 to 9, 0 or x.')
      document.querySelector<HTMLInputElement>('.scale input')?.focus()
      return
    }
    // One that waits since its author was signed out is this answer.
    const kept = waiting(me.id).find((entry) => entry.params.item === params.item)
    const body = {
      key: kept?.body.key ?? crypto.randomUUID(),
      choice,
      ...(strength !== undefined && { strength }),
      reason: made.reason ?? '',
      activeSeconds: activeSeconds(),
    }
    void act(async () => {
      const work = await send({ user: me.id, params, body }, onAway)
      forgetDraft()
      return work
    })
  }
  const last = past[0]
  const reopen = (item: string): void => {
    setOpen(undefined)
    void act(() =>
      call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/reopen', { params: { ...params, item } }),
    )
  }
  const commands: Command[] = [
    ...[...LINE, ...OFF_LINE].map((place) => ({
      key: place.key,
      label: place.label,
      run: () => {
        setHint('')
        setMade(({ reason }) => ({ reason, choice: place.choice, strength: place.strength }))
      },
    })),
    { key: 'Enter', label: 'Submit', run: submit, isAlsoWithControl: true },
    { key: 'r', label: 'Reason', run: () => reason.current?.focus() },
    {
      key: 's',
      label: 'Skip',
      run: () =>
        void act(() =>
          call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip', { params, body: { reason: '' } }),
        ),
    },
    { key: 'f', label: 'Flag for the lead', run: () => setOpen('flag') },
    { key: 'u', label: 'Undo', run: () => last && reopen(last.id), isOff: !last },
    { key: 'p', label: 'Past answers', run: () => setOpen('past'), isOff: !last },
    { key: 'g', label: 'Guideline', run: () => setOpen('guideline') },
    { key: '?', label: 'Shortcuts', run: () => setOpen('shortcuts') },
  ]
  useCommands(commands, isBusy)
  const button = (key: string, className = 'quiet') => {
    const { label, run, isOff } = commands.find((command) => command.key === key)!
    return (
      <button
        key={key}
        type="button"
        className={className}
        onClick={run}
        disabled={isBusy || isOff === true}
        aria-keyshortcuts={key}
      >
        {label} <kbd>{key === 'Enter' ? '↵' : key}</kbd>
      </button>
    )
  }
  const pick = (place: Place): void => commands.find(({ key }) => key === place.key)!.run()

  return (
    <>
      <h2 className="unseen" tabIndex={-1} ref={start}>
        Which of the two is better?
      </h2>
      <Pair {...task} />
      <section className="answer" aria-label="Your answer">
        <Scale made={made} onPick={pick} isOff={isBusy} />
        <Field label="Reason (if you like)">
          {(attributes) => (
            <textarea
              {...attributes}
              ref={reason}
              rows={1}
              maxLength={4000}
              value={made.reason ?? ''}
              onChange={(event) => setMade({ ...made, reason: event.target.value })}
            />
          )}
        </Field>
        <div className="answer-acts">
          {button('Enter', 'primary')}
          {['s', 'u', 'f', 'p', 'g', '?'].map((key) => button(key))}
        </div>
        {hint !== '' && (
          <p className="problem" role="alert">
            {hint}
          </p>
        )}
      </section>
      {open === 'guideline' && (
        <Sheet title={`Guideline, version ${guideline.number}`} onClose={() => setOpen(undefined)}>
          <GuidelineText text={guideline.text} />
        </Sheet>
      )}
      {open === 'shortcuts' && (
        <Sheet title="Shortcuts" onClose={() => setOpen(undefined)}>
          <dl className="shortcuts">
            {commands.map(({ key, label, isAlsoWithControl }) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                  {isAlsoWithControl && (
                    <>
                      {' '}
                      <kbd>Ctrl ↵</kbd>
                    </>
                  )}
                </dt>
                <dd>{label}</dd>
              </div>
            ))}
          </dl>
          <p className="hint">Keys are dead while you type, except Ctrl ↵; Escape leaves a dialog.</p>
        </Sheet>
      )}
      {open === 'past' && (
        <Sheet title="Your last answers" onClose={() => setOpen(undefined)}>
          <ul className="past">
            {past.map(({ id, choice, strength, opening }) => (
              <li key={id}>
                <span>
                  {wordsOf(choice, strength)} <span className="soft">{opening}</span>
                </span>
                <button type="button" onClick={() => reopen(id)}>
                  Take back
                </button>
              </li>
            ))}
          </ul>
        </Sheet>
      )}
      {open === 'flag' && <FlagSheet params={params} onClose={() => setOpen(undefined)} />}
    </>
  )
}

function FlagSheet({ params, onClose }: { params: Props['params']; onClose: () => void }) {
  const [note, setNote] = useState('')
  const [said, setSaid] = useState('')
  const flag = async (): Promise<void> => {
    try {
      await call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/flag', { params, body: { note } })
      onClose()
    } catch (error) {
      setSaid((error as Error).message)
    }
  }
  return (
    <Sheet title="Flag this for the lead" onClose={onClose}>
      <Field label="What is wrong with it?">
        {(attributes) => (
          <textarea
            {...attributes}
            rows={3}
            maxLength={1000}
            value={note}
            autoFocus
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      {said !== '' && <p className="problem">{said}</p>}
      <button type="button" className="primary" disabled={note.trim() === ''} onClick={() => void flag()}>
        Flag it
      </button>
    </Sheet>
  )
}

/**
 * Saves what is made a moment after it changed, and when it is left, so that another page or device goes on from there.
 * Answers how to forget it, once it is an answer.
 */
function useDraft(made: Made, loaded: Made | null, params: Props['params']): () => void {
  const now = JSON.stringify(made)
  const state = useRef({ saved: JSON.stringify(loaded ?? {}), now, params })
  Object.assign(state.current, { now, params })
  useEffect(() => {
    const timer = setTimeout(() => saveDraft(state.current), DRAFT_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [now])
  useEffect(() => () => saveDraft(state.current), [])
  return () => (state.current.saved = state.current.now)
}

function saveDraft(state: { saved: string; now: string; params: Props['params'] }): void {
  const { now, params } = state
  if (now === state.saved) return
  const body = JSON.parse(now) as Made
  call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/draft', { params, body }).then(
    () => (state.saved = now),
    () => {}, // the next change, or the answer itself, brings it
  )
}

function useHeartbeat({ project, campaign, item }: Props['params']): void {
  useEffect(() => {
    const params = { project, campaign, item }
    const timer = setInterval(() => {
      if (document.hidden) return
      call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/lease', { params }).catch(() => {})
    }, HEARTBEAT_MILLISECONDS)
    return () => clearInterval(timer)
  }, [project, campaign, item])
}
