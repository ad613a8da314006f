// One completion with the questions about it, or the completions of one prompt with a place for each.
import { useEffect, useRef, useState } from 'react'
import { askedOf, faultIn, type Question, type Value } from '#schema'
import type { AnswerOf } from '#server/contract'
import { useActiveTime } from '../annotate/active-time.ts'
import { type Command, nameOfKey, useCommands } from '../annotate/commands.ts'
import { FlagSheet } from '../annotate/flag.tsx'
import { GuidelineText, Sheet } from '../annotate/guideline.tsx'
import { SkipSheet } from '../annotate/skip.tsx'
import { useHeartbeat } from '../annotate/keeping.ts'
import { keyFor, send } from '../annotate/outbox.ts'
import { PromptText, Shown } from '../annotate/pair.tsx'
import { useViewCommands, ViewBar } from '../annotate/view.tsx'
import { isRefusal } from '../annotate/work.ts'
import { call } from '../api.ts'
import { Field } from '../parts.tsx'
import { useMe } from '../who.ts'
import { Ask } from './ask.tsx'
import { useAtHand } from './at-hand.ts'
import { Choices, optionsOf } from './choices.tsx'
import { Dialogue } from './dialogue.tsx'

export type Work = AnswerOf<'POST /api/projects/{project}/campaigns/{campaign}/answers/claim'>
type Task = NonNullable<Work['task']>
type Made = { values?: Record<string, Value>; places?: number[]; reason?: string }
type Props = {
  task: Task
  questions: readonly Question[]
  policy: Work['campaign']['skipPolicy']
  guideline: Work['guideline']
  past: Work['past']
  params: { project: string; campaign: string; item: string }
  onAway: (isAway: boolean) => void
  onWork: (work: Work) => void
  onRefused: (error: Error) => Promise<void>
}
const DRAFT_MILLISECONDS = 700

export function RateForm({ task, questions, policy, guideline, past, params, onAway, onWork, onRefused }: Props) {
  const { prompt, completions } = task
  const isRanking = questions.length === 0
  const asked = isRanking ? [] : askedOf(questions, prompt)
  const isByMessage = asked.some(({ message }) => message !== undefined)
  const { activeSeconds: drafted, ...begun } = task.draft ?? {}
  const [made, setMade] = useState<Made>(begun as Made)
  const [isBusy, setBusy] = useState(false)
  const [hint, setHint] = useState('')
  const [open, setOpen] = useState<'guideline' | 'flag' | 'skip' | 'shortcuts' | undefined>()
  const isSending = useRef(false)
  const me = useMe()
  const active = useActiveTime({ user: me.id, item: params.item }, drafted)
  const count = isRanking ? completions.length : asked.length
  const { at, list, move, touch, commands: arrows } = useAtHand(count)
  useHeartbeat(params)
  useDraft(made, params, active.seconds)
  useEffect(() => list.current?.querySelector<HTMLElement>('input,textarea')?.focus({ preventScroll: true }), [list])

  const places = made.places?.length === completions.length ? made.places : completions.map(() => 0)
  const place = (i: number, to: number): void => {
    setHint('')
    touch(i)
    setMade({ ...made, places: places.map((old, j) => (j === i ? to : old)) })
  }
  const rate = (i: number, value: Value): void => {
    setHint('')
    touch(i)
    setMade({ ...made, values: { ...made.values, [asked[i]!.question.name]: value } })
  }
  /** The first question without a right answer, and what is wrong with it. */
  const fault = (): { i: number; says: string } | undefined => {
    if (isRanking) {
      const i = places.indexOf(0)
      return i < 0 ? undefined : { i, says: `Answer ${i + 1} has no place yet.` }
    }
    for (const [i, { question, message }] of asked.entries()) {
      const says = faultIn(question, made.values?.[question.name])
      const of = message === undefined ? '' : `Message ${message + 1}: `
      if (says !== undefined) return { i, says: `${of}${question.text} ${says}.` }
    }
    return undefined
  }
  const act = async (ask: () => Promise<Work>): Promise<void> => {
    if (isSending.current) return
    isSending.current = true
    setBusy(true)
    try {
      onWork(await ask())
    } catch (error) {
      if (isRefusal(error) && error.status !== 422) await onRefused(error)
      else setHint((error as Error).message)
    } finally {
      isSending.current = false
      setBusy(false)
    }
  }
  const submit = (): void => {
    const wrong = fault()
    if (wrong) {
      setHint(wrong.says)
      return move(wrong.i)
    }
    const body = {
      key: keyFor(me.id, params.item),
      ...(isRanking ? { places } : { values: made.values ?? {} }),
      reason: made.reason ?? '',
      activeSeconds: active.seconds(),
    }
    void act(async () => {
      const to = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer'
      const work = await send({ user: me.id, to, params, body }, onAway)
      active.forget()
      return work
    })
  }
  const last = past[0]
  const question = asked[at]?.question
  const digits: Command[] = isRanking
    ? completions.map((_, i) => ({ key: String(i + 1), label: `Place ${i + 1}`, run: () => place(at, i + 1) }))
    : question && question.type !== 'text'
      ? optionsOf(question).map(({ key: name, label, value }) => ({ key: name, label, run: () => rate(at, value) }))
      : []
  const skip = (reason: string): void =>
    void act(() =>
      call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-skip', { params, body: { reason } }),
    )
  const commands: Command[] = [
    ...digits,
    ...arrows,
    { key: 'Enter', label: 'Submit', run: submit, isAlsoWithControl: true },
    { key: 's', label: 'Skip', run: () => setOpen('skip') },
    {
      key: 'u',
      label: 'Undo',
      isOff: !last,
      run: () =>
        last &&
        void act(() =>
          call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-reopen', {
            params: { ...params, item: last.id },
          }),
        ),
    },
    { key: 'f', label: 'Flag for the lead', run: () => setOpen('flag') },
    { key: 'g', label: 'Guideline', run: () => setOpen('guideline') },
    ...useViewCommands().filter(({ action }) => action === 'source'),
    { key: '?', label: 'Shortcuts', run: () => setOpen('shortcuts') },
  ]
  useCommands(commands, isBusy)

  /** What is asked of one message, or of the whole. */
  const askAll = (of: number | undefined) =>
    asked.map(
      ({ question: each, message }, i) =>
        message === of && (
          <div key={each.name} className="question" data-question data-at={i === at} onFocus={() => touch(i)}>
            <Ask question={each} value={made.values?.[each.name]} isOff={isBusy} onRate={(value) => rate(i, value)} />
          </div>
        ),
    )

  return (
    <>
      <ViewBar isPair={false} keys={{}} />
      {!isByMessage && <PromptText prompt={prompt} />}
      {!isRanking && !isByMessage && (
        <section className="side" aria-label="Answer">
          <h2>Answer</h2>
          <Shown text={completions[0]!} />
        </section>
      )}
      <div className={isRanking ? 'ranked' : 'rated'} ref={list}>
        {isRanking
          ? completions.map((completion, i) => (
              <section
                key={completion}
                className="side question"
                data-question
                data-at={i === at}
                onFocus={() => touch(i)}
              >
                <Shown text={completion} />
                <Choices
                  name={`place-${i}`}
                  legend={`Answer ${i + 1}`}
                  options={completions.map((_, j) => ({ key: String(j + 1), value: j + 1, label: String(j + 1) }))}
                  value={places[i] === 0 ? undefined : places[i]}
                  isOff={isBusy}
                  onPick={(to) => place(i, to)}
                />
              </section>
            ))
          : isByMessage && (
              <Dialogue prompt={prompt} completion={completions[0]!}>
                {(message) => askAll(message)}
              </Dialogue>
            )}
        {!isRanking && askAll(undefined)}
      </div>
      <section className="answer" aria-label="Your answer">
        {isRanking && <p className="soft small">1 is the best; equal ones share a place.</p>}
        <Field label="Reason (if you like)">
          {(attributes) => (
            <textarea
              {...attributes}
              rows={1}
              maxLength={4000}
              value={made.reason ?? ''}
              onChange={(event) => setMade({ ...made, reason: event.target.value })}
            />
          )}
        </Field>
        <div className="answer-acts">
          {commands
            .filter(({ key: name }) => ['Enter', 's', 'u', 'f', 'g', '?'].includes(name))
            .map(({ key: name, label, run, isOff }) => (
              <button
                key={name}
                type="button"
                className={name === 'Enter' ? 'primary' : 'quiet'}
                disabled={isBusy || isOff === true}
                onClick={run}
                aria-keyshortcuts={name}
              >
                {label} <kbd>{name === 'Enter' ? '↵' : name}</kbd>
              </button>
            ))}
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
            {commands.map(({ key: name, label }) => (
              <div key={name}>
                <dt>
                  <kbd>{nameOfKey(name)}</kbd>
                </dt>
                <dd>{label}</dd>
              </div>
            ))}
          </dl>
          <p className="hint">Keys are dead while you type, except Ctrl ↵; Tab leaves a box.</p>
        </Sheet>
      )}
      {open === 'skip' && <SkipSheet policy={policy} onSkip={skip} onClose={() => setOpen(undefined)} />}
      {open === 'flag' && <FlagSheet params={params} onClose={() => setOpen(undefined)} />}
    </>
  )
}

/** Saved a moment after it changed, so that another page or device goes on from there. */
function useDraft(made: Made, params: Props['params'], seconds: () => number): void {
  const now = JSON.stringify(made)
  const first = useRef(now)
  useEffect(() => {
    if (now === first.current) return
    const timer = setTimeout(() => {
      const body = { ...(JSON.parse(now) as Made), activeSeconds: seconds() }
      call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/answer', { params, body }).catch(() => {})
    }, DRAFT_MILLISECONDS)
    return () => clearTimeout(timer)
    // The item's own form: its address does not change.
  }, [now])
}
