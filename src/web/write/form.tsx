// One prompt and the box its answer is written in.
import { useEffect, useRef, useState } from 'react'
import { useActiveTime } from '../annotate/active-time.ts'
import { type Command, useCommands } from '../annotate/commands.ts'
import { FlagSheet } from '../annotate/flag.tsx'
import { GuidelineText, Sheet } from '../annotate/guideline.tsx'
import { SkipSheet } from '../annotate/skip.tsx'
import { useHeartbeat } from '../annotate/keeping.ts'
import { keyFor, send } from '../annotate/outbox.ts'
import { PromptText } from '../annotate/pair.tsx'
import { isRefusal } from '../annotate/work.ts'
import { call } from '../api.ts'
import { SAID } from '../kept.ts'
import { useMe } from '../who.ts'
import { Changes } from './changes.tsx'
import { useWriting } from './kept.ts'
import type { Writing } from './screen.tsx'

type Props = {
  task: NonNullable<Writing['task']>
  guideline: Writing['guideline']
  policy: Writing['campaign']['skipPolicy']
  tokensBy: string
  params: { project: string; campaign: string; item: string }
  onAway: (isAway: boolean) => void
  onWork: (work: Writing) => void
  onRefused: (error: Error) => Promise<void>
  /** Takes back what was submitted last; undefined: somebody has reviewed it, or nothing was. */
  onUndo: (() => void) | undefined
}

export function WritingForm({ task, guideline, policy, tokensBy, params, onAway, onWork, onRefused, onUndo }: Props) {
  const { prompt, drafted, draft, returned } = task
  const before = returned?.completion ?? drafted
  const me = useMe()
  const active = useActiveTime({ user: me.id, item: params.item }, task.activeSeconds ?? 0)
  const { text, write, saved, tokens, place, forget } = useWriting(params, draft ?? before ?? '', active.seconds)
  const [isBusy, setBusy] = useState(false)
  const [hint, setHint] = useState('')
  const [open, setOpen] = useState<'guideline' | 'flag' | 'skip' | 'changes' | undefined>()
  const box = useRef<HTMLTextAreaElement>(null)
  const isSending = useRef(false)
  useHeartbeat(params)
  useEffect(() => box.current?.focus({ preventScroll: true }), [])

  const act = async (ask: () => Promise<Writing>): Promise<void> => {
    if (isSending.current) return
    isSending.current = true
    setBusy(true)
    try {
      const work = await ask()
      forget()
      active.forget()
      onWork(work)
    } catch (error) {
      if (isRefusal(error) && error.status !== 422) {
        forget()
        await onRefused(error)
      } else setHint((error as Error).message)
    } finally {
      isSending.current = false
      setBusy(false)
    }
  }
  const submit = (): void => {
    const wrong =
      text.trim() === ''
        ? 'Write an answer first.'
        : returned && text === returned.completion
          ? 'Nothing was changed since it was sent back.'
          : ''
    setHint(wrong)
    if (wrong !== '') return box.current?.focus()
    const body = { key: keyFor(me.id, params.item), text, activeSeconds: active.seconds() }
    const to = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration'
    void act(() => send({ user: me.id, to, params, body, place }, onAway))
  }
  const skip = (reason: string): void =>
    void act(() =>
      call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration-skip', {
        params,
        body: { reason },
      }),
    )
  const commands: Command[] = [
    { key: 'Enter', label: 'Submit', run: submit, isAlsoWithControl: true },
    { key: 's', label: 'Skip', run: () => setOpen('skip') },
    { key: 'u', label: 'Undo', run: () => onUndo?.(), isOff: !onUndo },
    { key: 'c', label: 'Changes', run: () => setOpen('changes'), isOff: before === null },
    { key: 'f', label: 'Flag for the lead', run: () => setOpen('flag') },
    { key: 'g', label: 'Guideline', run: () => setOpen('guideline') },
  ]
  useCommands(commands, isBusy)

  return (
    <>
      <PromptText prompt={prompt} />
      {returned && (
        <p className="away" role="note">
          <b>Sent back to you.</b> {returned.reason}
        </p>
      )}
      <section className="writing" aria-label="Your answer">
        <label htmlFor="answer" className="asked">
          {returned
            ? 'Your answer, to be changed'
            : drafted === null
              ? 'Your answer'
              : 'A drafted answer, to be made right'}
        </label>
        <textarea
          id="answer"
          ref={box}
          rows={10}
          maxLength={20_000}
          value={text}
          aria-describedby="answer-count"
          onChange={(event) => {
            setHint('')
            write(event.target.value)
          }}
        />
        <p id="answer-count" className="soft small">
          {tokens === null
            ? ''
            : `${tokens.toLocaleString('en')} ${tokens === 1 ? 'token' : 'tokens'} of ${tokensBy} · `}
          <span data-saved={saved}>{SAID[saved]}</span>
        </p>
        <div className="answer-acts">
          {commands.map(({ key: name, label, run, isOff }) => (
            <button
              key={name}
              type="button"
              className={name === 'Enter' ? 'primary' : 'quiet'}
              disabled={isBusy || isOff === true}
              onClick={run}
              aria-keyshortcuts={name === 'Enter' ? 'Control+Enter' : name}
            >
              {label} <kbd>{name === 'Enter' ? 'Ctrl ↵' : name}</kbd>
            </button>
          ))}
        </div>
        {hint !== '' && (
          <p className="problem" role="alert">
            {hint}
          </p>
        )}
        <p className="hint">Keys other than Ctrl ↵ work once the box is left, by Tab.</p>
      </section>
      {open === 'guideline' && (
        <Sheet title={`Guideline, version ${guideline.number}`} onClose={() => setOpen(undefined)}>
          <GuidelineText text={guideline.text} />
        </Sheet>
      )}
      {open === 'changes' && before !== null && (
        <Sheet title="What you changed" onClose={() => setOpen(undefined)}>
          <Changes before={before} after={text} />
        </Sheet>
      )}
      {open === 'skip' && <SkipSheet policy={policy} onSkip={skip} onClose={() => setOpen(undefined)} />}
      {open === 'flag' && <FlagSheet params={params} onClose={() => setOpen(undefined)} />}
    </>
  )
}
