// Which of several questions is at hand: arrows move, and the focus goes along.
import { type RefObject, useRef, useState } from 'react'
import type { Command } from '../annotate/commands.ts'

export function useAtHand(count: number): {
  at: number
  /** Holds one fieldset, or one element with data-question, a question. */
  list: RefObject<HTMLDivElement | null>
  move: (to: number) => void
  /** Without moving the focus: it is there already. */
  touch: (at: number) => void
  commands: Command[]
} {
  const [at, setAt] = useState(0)
  const list = useRef<HTMLDivElement>(null)
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(count - 1, to))
    setAt(next)
    const question = list.current?.querySelectorAll('[data-question]')[next]
    const field =
      question?.querySelector<HTMLElement>('input:checked') ?? question?.querySelector<HTMLElement>('input,textarea')
    field?.focus({ preventScroll: true })
    question?.scrollIntoView({ block: 'nearest' })
  }
  return {
    at,
    list,
    move,
    touch: setAt,
    commands:
      count < 2
        ? []
        : [
            { key: 'ArrowDown', label: 'Next', run: () => move(at + 1) },
            { key: 'ArrowUp', label: 'Before', run: () => move(at - 1) },
          ],
  }
}
