// A command is data: buttons, keys and the sheet of shortcuts all read it. Keys are for the page: they are dead while
// somebody types (Escape leaves the field), in a dialog, during a request, and when held down.
import { useEffect, useRef } from 'react'
import type { Action, ChosenKeys } from '#schema'

export type Command = {
  /** By which its author may give it another key; without one it keeps its own. */
  action?: Action
  key: string
  label: string
  run: () => void
  isOff?: boolean
  /** Also with Ctrl or Cmd, and then while typing too. */
  isAlsoWithControl?: boolean
}

export function useCommands(commands: readonly Command[], isBusy: boolean): void {
  const latest = useRef({ commands, isBusy })
  latest.current = { commands, isBusy }
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const { commands, isBusy } = latest.current
      if (event.repeat || event.altKey || isBusy || document.querySelector('dialog[open]')) return
      const isControlled = event.ctrlKey || event.metaKey
      if (!isControlled && isTyping(event.target)) {
        if (event.key === 'Escape') event.target.blur()
        return
      }
      // Enter on a button presses that button.
      if (
        !isControlled &&
        event.key === 'Enter' &&
        event.target instanceof Element &&
        event.target.closest('button,a,select')
      )
        return
      // What scrolls and has the focus is scrolled by arrows.
      if (event.key.startsWith('Arrow') && event.target instanceof Element && event.target.closest('[data-scrolls]'))
        return
      // With Ctrl it is Enter, whatever key it has without.
      const command = commands.find(({ key, isAlsoWithControl, isOff }) =>
        isOff === true
          ? false
          : isControlled
            ? isAlsoWithControl === true && event.key === 'Enter'
            : key.toLowerCase() === event.key.toLowerCase(),
      )
      if (!command) return
      event.preventDefault()
      command.run()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}

/** The same commands by the keys that somebody chose. */
export function withKeys(commands: readonly Command[], chosen: ChosenKeys): Command[] {
  return commands.map((command) => ({
    ...command,
    key: (command.action !== undefined ? chosen[command.action] : undefined) ?? command.key,
  }))
}

const NAMES: Record<string, string> = { ArrowDown: '↓', ArrowUp: '↑', ArrowLeft: '←', ArrowRight: '→', Enter: '↵' }

/** As it is written on the key. */
export function nameOfKey(key: string): string {
  return NAMES[key] ?? key
}

/** A radio button that has the focus takes arrows, and leaves digits and letters to the page. */
const TYPED_INTO = 'textarea,select,input:not([type=radio],[type=checkbox])'

function isTyping(target: EventTarget | null): target is HTMLElement {
  return target instanceof HTMLElement && (target.matches(TYPED_INTO) || target.isContentEditable)
}
