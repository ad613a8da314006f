// One task: the pair, the answer in the making, and what can be done with it. What is made is saved as it is made.
import { useEffect, useRef, useState } from 'react'
import type { Action } from '#schema'
import { call } from '../api.ts'
import { Field } from '../parts.tsx'
import { useSettings } from '../settings.ts'
import { useMe } from '../who.ts'
import { useActiveTime } from './active-time.ts'
import { type Made, wordsOf } from './answer.ts'
import { nameOfKey, useCommands, withKeys } from './commands.ts'
import { FlagSheet } from './flag.tsx'
import { GuidelineText, Sheet } from './guideline.tsx'
import { HighlightSheet } from './highlight.tsx'
import { useDraft, useHeartbeat } from './keeping.ts'
import { SkipSheet } from './skip.tsx'
import { keyFor, send } from './outbox.ts'
import { Pair } from './pair.tsx'
import { Suggested } from './suggestion.tsx'
import { QuestionList, useQuestions } from './questions.tsx'
import { Shortcuts } from './shortcuts.tsx'
import { useViewCommands, ViewBar } from './view.tsx'
import { isRefusal, type Work } from './work.ts'

type Props = {
  task: NonNullable<Work['task']>
  guideline: Work['guideline']
  campaign: Work['campaign']
  past: Work['past']
  params: { project: string; campaign: string; item: string }
  onWork: (work: Work) => void
  onAway: (isAway: boolean) => void
  onRefused: (error: Error) => Promise<void>
}
const ACTS = ['highlight', 'skip', 'undo', 'flag', 'past', 'guideline', 'shortcuts'] as const
type Open = 'guideline' | 'shortcuts' | 'past' | 'flag' | 'skip' | 'highlight' | undefined

export function TaskForm({ task, guideline, campaign, past, params, onWork, onAway, onRefused }: Props) {
  const me = useMe()
  const { criteria } = campaign
  const { keys } = useSettings().settings
  const { activeSeconds: drafted, ...begun } = task.draft ?? {}
  const [made, setMade] = useState<Made>(begun)
  const [isBusy, setBusy] = useState(false)
  const [hint, setHint] = useState('')
  const [open, setOpen] = useState<Open>()
  const reason = useRef<HTMLTextAreaElement>(null)
  const start = useRef<HTMLHeadingElement>(null)
  const isSending = useRef(false)
  const active = useActiveTime({ user: me.id, item: params.item }, drafted)
  useEffect(() => start.current?.focus({ preventScroll: true }), [])
  const forgetDraft = useDraft(made, begun, { params, seconds: active.seconds })
  useHeartbeat(params)
  const questions = useQuestions(criteria, made, {
    keys,
    setMade: (change) => {
      setHint('')
      setMade(change)
    },
  })
  const views = useViewCommands()

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
    const missing = questions.missing()
    if (choice === undefined || missing !== undefined) {
      setHint(missing ?? '')
      return
    }
    const body = {
      key: keyFor(me.id, params.item),
      choice,
      ...(strength !== undefined && { strength }),
      ...(criteria.length > 0 && made.criteria && { criteria: made.criteria }),
      ...(made.highlights && { highlights: made.highlights }),
      reason: made.reason ?? '',
      activeSeconds: active.seconds(),
    }
    void act(async () => {
      const to = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement'
      const work = await send({ user: me.id, to, params, body }, onAway)
      forgetDraft()
      active.forget()
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
  const skip = (why: string): void =>
    void act(() =>
      call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/skip', { params, body: { reason: why } }),
    )
  const commands = withKeys(
    [
      ...questions.commands,
      { action: 'submit', key: 'Enter', label: 'Submit', run: submit, isAlsoWithControl: true },
      { action: 'reason', key: 'r', label: 'Reason', run: () => reason.current?.focus() },
      { action: 'highlight', key: 'h', label: 'Highlight', run: () => setOpen('highlight') },
      { action: 'skip', key: 's', label: 'Skip', run: () => setOpen('skip') },
      { action: 'flag', key: 'f', label: 'Flag for the lead', run: () => setOpen('flag') },
      { action: 'undo', key: 'u', label: 'Undo', run: () => last && reopen(last.id), isOff: !last },
      { action: 'past', key: 'p', label: 'Past answers', run: () => setOpen('past'), isOff: !last },
      { action: 'guideline', key: 'g', label: 'Guideline', run: () => setOpen('guideline') },
      ...views,
      { action: 'shortcuts', key: '?', label: 'Shortcuts', run: () => setOpen('shortcuts') },
    ],
    keys,
  )
  useCommands(commands, isBusy)
  const button = (action: Action, className = 'quiet') => {
    const { key, label, run, isOff } = commands.find((command) => command.action === action)!
    return (
      <button
        key={action}
        type="button"
        className={className}
        onClick={run}
        disabled={isBusy || isOff === true}
        aria-keyshortcuts={key}
      >
        {label} <kbd>{nameOfKey(key)}</kbd>
      </button>
    )
  }
  return (
    <>
      <h2 className="unseen" tabIndex={-1} ref={start}>
        Which of the two is better?
      </h2>
      <ViewBar keys={keys} />
      <Pair {...task} marks={made.highlights ?? []} />
      <Suggested suggestion={task.suggestion} />
      <section className="answer" aria-label="Your answer">
        <QuestionList questions={questions} criteria={criteria} made={made} isOff={isBusy} keys={keys} />
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
          {button('submit', 'primary')}
          {ACTS.map((action) => button(action))}
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
      {open === 'shortcuts' && <Shortcuts commands={commands} onClose={() => setOpen(undefined)} />}
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
      {open === 'skip' && <SkipSheet policy={campaign.skipPolicy} onSkip={skip} onClose={() => setOpen(undefined)} />}
      {open === 'highlight' && (
        <HighlightSheet
          texts={task}
          highlights={made.highlights ?? []}
          onChange={(highlights) => setMade({ ...made, highlights })}
          onClose={() => setOpen(undefined)}
        />
      )}
      {open === 'flag' && <FlagSheet params={params} onClose={() => setOpen(undefined)} />}
    </>
  )
}
