// The guideline: read once to its end before the first task of a version, and at hand by a key from then on.
import { useEffect, useRef, useState } from 'react'

export function Guideline({
  number,
  text,
  onRead,
  isAgain = false,
}: {
  number: number
  text: string
  onRead: () => Promise<void>
  isAgain?: boolean
}) {
  const [isBusy, setBusy] = useState(false)
  return (
    <article className="guideline">
      <p className="soft">
        Guideline, version {number}.{' '}
        {isAgain ? 'Read it again; then come other pairs.' : 'Read it once; you can open it again at any time.'}
      </p>
      <GuidelineText text={text} />
      <button
        type="button"
        className="primary"
        disabled={isBusy}
        onClick={() => {
          setBusy(true)
          void onRead().finally(() => setBusy(false))
        }}
      >
        {isAgain ? 'I have read it again' : 'I have read it'}
      </button>
    </article>
  )
}

/** Headings, items of lists, and paragraphs; lines that only wrap in the source are joined. */
export function GuidelineText({ text }: { text: string }) {
  return (
    <div className="guideline-text">
      {blocksOf(text).map(({ kind, text: own }, i) => {
        if (kind === 'title') return <h1 key={`${i}`}>{own}</h1>
        if (kind === 'heading') return <h2 key={`${i}`}>{own}</h2>
        return (
          <p key={`${i}`} className={kind}>
            {own}
          </p>
        )
      })}
    </div>
  )
}

type Block = { kind: 'title' | 'heading' | 'item' | 'item-within' | 'text'; text: string }

function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let isOpen = false
  for (const line of text.split('\n')) {
    const heading = /^(#{1,3}) (.*)$/.exec(line.trim())
    const item = /^(\s*)(?:[-*]|\d+[.)]) /.exec(line)
    if (line.trim() === '') isOpen = false
    else if (heading) {
      blocks.push({ kind: heading[1] === '#' ? 'title' : 'heading', text: heading[2]! })
      isOpen = false
    } else if (item || !isOpen) {
      const kind = !item ? 'text' : item[1] === '' ? 'item' : 'item-within'
      blocks.push({ kind, text: line.trim() })
      isOpen = true
    } else blocks.at(-1)!.text += ` ${line.trim()}`
  }
  return blocks
}

/** A dialog that closes by Escape; focus goes to its first field, if it asks for something, and back where it was. */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: React.ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
    dialog.current?.querySelector<HTMLElement>('textarea, input')?.focus()
  }, [])
  return (
    <dialog ref={dialog} className="sheet" aria-label={title} onClose={onClose}>
      <form method="dialog" className="sheet-head">
        <h2>{title}</h2>
        <button type="submit" className="quiet" autoFocus>
          Close <kbd>Esc</kbd>
        </button>
      </form>
      {children}
    </dialog>
  )
}
