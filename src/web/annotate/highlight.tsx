// Marking a stretch of an answer with a reason. It is picked in the text as it is written, in a box in which Shift and arrows
// select too; what was selected on the page before is selected there. Places are UTF-16 code units of the text itself.
import { useEffect, useRef, useState } from 'react'
import { cutsCharacter, type Highlight } from '#schema'
import { Field } from '../parts.tsx'
import { Sheet } from './guideline.tsx'

type Side = Highlight['side']
type Stretch = { side: Side; start: number; end: number }
/** More stands in no quote. */
const LONGEST = 4000

export function HighlightSheet({
  texts,
  highlights,
  onChange,
  onClose,
}: {
  texts: Record<Side, string>
  highlights: readonly Highlight[]
  onChange: (highlights: Highlight[]) => void
  onClose: () => void
}) {
  const [picked, setPicked] = useState<Stretch>(() => selectedIn(texts) ?? { side: 'left', start: 0, end: 0 })
  const [reason, setReason] = useState('')
  const [said, setSaid] = useState('')
  const box = useRef<HTMLTextAreaElement>(null)
  const { side, start, end } = picked
  const text = texts[side]
  const quote = text.slice(start, end)
  const first = useRef(picked)
  useEffect(() => {
    // The sheet has put the focus into its first field; the text is where one begins.
    const { side: from, start: at, end: to } = first.current
    box.current?.focus()
    box.current?.setSelectionRange(inBox(texts[from], at), inBox(texts[from], to))
    const own = box.current
    const refuse = (event: Event): void => event.preventDefault()
    own?.addEventListener('beforeinput', refuse)
    return () => own?.removeEventListener('beforeinput', refuse)
  }, [texts])

  const add = (): void => {
    const fault =
      quote === ''
        ? 'Select what you mean in the text first.'
        : quote.length > LONGEST
          ? `Select at most ${LONGEST.toLocaleString('en')} characters, not ${quote.length.toLocaleString('en')}.`
          : highlights.length >= 20
            ? 'Twenty stretches are marked; take one back first.'
            : reason.trim() === ''
              ? 'Say why.'
              : ''
    setSaid(fault)
    if (fault !== '') return
    onChange([...highlights, { side, start, end, quote, reason: reason.trim() }])
    onClose()
  }
  return (
    <Sheet title="Highlight" onClose={onClose}>
      <div className="row" role="radiogroup" aria-label="In which answer">
        {(['left', 'right'] as const).map((name) => (
          <label key={name} className="check">
            <input
              type="radio"
              name="highlight-side"
              checked={side === name}
              onChange={() => setPicked({ side: name, start: 0, end: 0 })}
            />
            {name === 'left' ? 'Left' : 'Right'}
          </label>
        ))}
      </div>
      <Field label="Select what you mean" hint="The text as it is written: drag over it, or Shift and arrows.">
        {(attributes) => (
          <textarea
            {...attributes}
            ref={box}
            className="to-select"
            rows={8}
            // A box that may not be written in has no place to begin from by keyboard; this one may, and takes nothing.
            aria-readonly
            inputMode="none"
            value={text}
            onChange={() => {}}
            onSelect={({ currentTarget: { selectionStart, selectionEnd } }) =>
              setPicked(whole(text, { side, start: inText(text, selectionStart), end: inText(text, selectionEnd) }))
            }
          />
        )}
      </Field>
      <p className="soft small" aria-live="polite">
        {quote === '' ? 'Nothing is selected.' : `Selected: ${quote.length > 80 ? `${quote.slice(0, 80)}…` : quote}`}
      </p>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          add()
        }}
      >
        <Field label="Why?">
          {(attributes) => (
            <input {...attributes} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
          )}
        </Field>
        {said !== '' && (
          <p className="problem" role="alert">
            {said}
          </p>
        )}
        <button type="submit" className="primary">
          Highlight it
        </button>
      </form>
      {highlights.length > 0 && (
        <ul className="past" aria-label="Highlighted">
          {highlights.map((each, i) => (
            <li key={`${each.side} ${each.start} ${each.end} ${each.reason}`}>
              <span>
                <span className="soft">{each.side === 'left' ? 'Left' : 'Right'}</span> <q>{each.quote}</q>{' '}
                {each.reason}
              </span>
              <button type="button" onClick={() => onChange(highlights.filter((_, j) => j !== i))}>
                Take back
              </button>
            </li>
          ))}
        </ul>
      )}
    </Sheet>
  )
}

/** A box of text has `\n` where the text has `\r\n`: the place in the text of a place in the box. */
export function inText(text: string, place: number): number {
  let at = 0
  for (let seen = 0; seen < place && at < text.length; seen++) at += text.startsWith('\r\n', at) ? 2 : 1
  return at
}

/** The other way round. */
export function inBox(text: string, place: number): number {
  return text.slice(0, place).replaceAll('\r\n', '\n').length
}

/** With the other half of a character of which one half is in it. */
export function whole<S extends { start: number; end: number }>(text: string, stretch: S): S {
  const { start, end } = stretch
  return {
    ...stretch,
    start: cutsCharacter(text, start) ? start - 1 : start,
    end: cutsCharacter(text, end) ? end + 1 : end,
  }
}

/** What is selected on the page in one of the texts as they are written; undefined: nothing is, or it is shown otherwise. */
function selectedIn(texts: Record<Side, string>): Stretch | undefined {
  const selection = document.getSelection()
  if (!selection || selection.rangeCount === 0 || selection.isCollapsed) return undefined
  const range = selection.getRangeAt(0)
  const within = range.commonAncestorContainer
  const element = within instanceof Element ? within : within.parentElement
  const side = element?.closest<HTMLElement>('[data-side]')?.dataset.side
  const shown = element?.closest('.text')
  if ((side !== 'left' && side !== 'right') || !shown || shown.textContent !== texts[side]) return undefined
  const before = document.createRange()
  before.setStart(shown, 0)
  before.setEnd(range.startContainer, range.startOffset)
  const start = before.toString().length
  return whole<Stretch>(texts[side], { side, start, end: start + range.toString().length })
}
