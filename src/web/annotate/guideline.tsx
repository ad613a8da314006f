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

/** Headings and paragraphs; everything else as it was written. */
export function GuidelineText({ text }: { text: string }) {
  return (
    <div className="guideline-text">
      {text.split(/\n(?=#{1,3} )|\n\s*\n/).map((block, i) => {
        const heading = /^(#{1,3}) (.*)$/.exec(block.trim())
        if (!heading) return <p key={`${i}`}>{block.trim()}</p>
        return heading[1] === '#' ? <h1 key={`${i}`}>{heading[2]}</h1> : <h2 key={`${i}`}>{heading[2]}</h2>
      })}
    </div>
  )
}

/** A dialog that closes by Escape; focus goes back where it was. */
export function Sheet({ title, onClose, children }: { title: string; onClose: () => void; children: React.ReactNode }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
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
