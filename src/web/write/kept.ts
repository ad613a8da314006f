// The answer that is being written to a prompt, kept as it is written and counted in tokens as it was last saved.
import { useState } from 'react'
import { call } from '../api.ts'
import { onDevice, type Saved, useKept } from '../kept.ts'
import { useMe } from '../who.ts'

type Params = { project: string; campaign: string; item: string }

export function useWriting(
  params: Params,
  loaded: string,
  /** Of activity so far, which lie beside it on the server. */
  seconds: () => number,
): {
  text: string
  write: (text: string) => void
  saved: Saved
  /** Of the text as it was last saved; null: nobody counts them, or nothing was saved yet. */
  tokens: number | null
  /** Where this device has it until the server does. */
  place: string
  /** It is submitted: nothing is to be kept. */
  forget: () => void
} {
  // Two people may share a device.
  const place = `hone.writing.${useMe().id}.${params.item}`
  const [text, write] = useState(() => onDevice(place) ?? loaded)
  const put = (now: string) =>
    call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration', {
      params,
      body: { text: now, activeSeconds: seconds() },
    })
  const { saved, answer, forget } = useKept({ place, now: text, stored: null, put })
  return { text, write, saved, tokens: answer?.tokens ?? null, place, forget }
}
