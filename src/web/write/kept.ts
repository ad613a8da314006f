// What is written lies on this device from the first keystroke and on the server a moment later, so that neither a closed tab
// nor a server that is away loses a sentence. The device's copy goes once the server has the same.
import { useEffect, useRef, useState } from 'react'
import { call } from '../api.ts'
import { useMe } from '../who.ts'

type Params = { project: string; campaign: string; item: string }
export type Saved = 'saved' | 'unsaved' | 'away'

const SAVE_MILLISECONDS = 500
const AGAIN_MILLISECONDS = 3000

/** Two people may share a device. */
const placeOf = (user: string, { item }: Params): string => `hone.writing.${user}.${item}`

/** What this device has of an item that the server has not. */
function onDevice(place: string): string | null {
  try {
    return localStorage.getItem(place)
  } catch {
    return null
  }
}

export function useWriting(
  params: Params,
  loaded: string,
): {
  text: string
  write: (text: string) => void
  saved: Saved
  /** Of the text as it was last saved; null: nobody counts them, or nothing was saved yet. */
  tokens: number | null
  /** It is submitted: nothing is to be kept. */
  forget: () => void
} {
  const place = placeOf(useMe().id, params)
  const [text, setText] = useState(() => onDevice(place) ?? loaded)
  const [saved, setSaved] = useState<Saved>('saved')
  const [tokens, setTokens] = useState<number | null>(null)
  const [tries, setTries] = useState(0)
  const state = useRef({ text, server: null as string | null, isDone: false, params, place })
  Object.assign(state.current, { text, params, place })

  const save = async (): Promise<void> => {
    const { text: now, server, isDone, params: where, place: kept } = state.current
    if (isDone || now === server) return
    try {
      const answer = await call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration', {
        params: where,
        body: { text: now },
      })
      state.current.server = now
      if (onDevice(kept) === now) localStorage.removeItem(kept)
      setTokens(answer.tokens)
      setSaved(state.current.text === now ? 'saved' : 'unsaved')
    } catch {
      setSaved('away')
      setTimeout(() => setTries((count) => count + 1), AGAIN_MILLISECONDS)
    }
  }
  const saving = useRef(save)
  saving.current = save
  useEffect(() => {
    const timer = setTimeout(() => void saving.current(), SAVE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [text, tries])
  // Left before its time: what is unsaved goes now.
  useEffect(() => () => void saving.current(), [])

  return {
    text,
    saved,
    tokens,
    write(next) {
      setText(next)
      setSaved('unsaved')
      try {
        localStorage.setItem(place, next)
      } catch {
        // A full or forbidden store: the server has it in half a second.
      }
    },
    forget() {
      state.current.isDone = true
      localStorage.removeItem(place)
    },
  }
}
