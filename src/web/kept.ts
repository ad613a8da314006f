// What is written lies on this device from the first keystroke and on the server a moment later, so that neither a closed tab
// nor a server that is away loses a sentence. The device's copy goes once the server has the same.
import { useEffect, useRef, useState } from 'react'

export type Saved = 'saved' | 'unsaved' | 'away'
export const SAID: Record<Saved, string> = {
  saved: 'saved',
  unsaved: 'saving…',
  away: 'the server cannot be reached; kept on this device',
}

const SAVE_MILLISECONDS = 500
const AGAIN_MILLISECONDS = 3000

/** What this device has there that the server has not. */
export function onDevice(place: string): string | null {
  try {
    return localStorage.getItem(place)
  } catch {
    return null
  }
}

export function forgetOnDevice(place: string): void {
  try {
    localStorage.removeItem(place)
  } catch {
    // Where nothing may be stored, nothing is.
  }
}

/**
 * Keeps `now` as it changes: on this device at `place`, and by `put` on the server, one request at a time. `stored`: what the
 * server has when it begins; null: nothing, or another than what is shown.
 */
export function useKept<Answer>({
  place,
  now,
  stored,
  put,
}: {
  place: string
  now: string
  stored: string | null
  put: (now: string) => Promise<Answer>
}): {
  saved: Saved
  /** To what was saved last. */
  answer: Answer | undefined
  /** Saves what is unsaved; when it resolves, no request is under way. */
  flush: () => Promise<void>
  /** It is handed in: nothing is to be kept any more. */
  forget: () => void
} {
  const [saved, setSaved] = useState<Saved>('saved')
  const [answer, setAnswer] = useState<Answer>()
  const [tries, setTries] = useState(0)
  const state = useRef({ place, now, put, stored, onDevice: now, isDone: false, last: Promise.resolve() })
  Object.assign(state.current, { place, now, put })

  const save = async (): Promise<void> => {
    const { now: text, stored: known, isDone, place: where } = state.current
    if (isDone || text === known) return
    try {
      const said = await state.current.put(text)
      state.current.stored = text
      if (onDevice(where) === text) forgetOnDevice(where)
      setAnswer(said)
      setSaved(state.current.now === text ? 'saved' : 'unsaved')
    } catch {
      setSaved('away')
      setTimeout(() => setTries((count) => count + 1), AGAIN_MILLISECONDS)
    }
  }
  const flush = (): Promise<void> => (state.current.last = state.current.last.then(save))
  const flushing = useRef(flush)
  flushing.current = flush
  useEffect(() => {
    if (state.current.onDevice === now || state.current.isDone) return
    state.current.onDevice = now
    setSaved('unsaved')
    try {
      localStorage.setItem(place, now)
    } catch {
      // A full or forbidden store: the server has it in half a second.
    }
  }, [place, now])
  useEffect(() => {
    const timer = setTimeout(() => void flushing.current(), SAVE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [now, tries])
  // Left before its time: what is unsaved goes now.
  useEffect(() => () => void flushing.current(), [])

  return {
    saved,
    answer,
    flush,
    forget() {
      state.current.isDone = true
      forgetOnDevice(place)
    },
  }
}
