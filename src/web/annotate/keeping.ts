// What is made is kept as it is made, and what is at hand stays in hand: drafts and the lease, beside the answering itself.
import { useEffect, useRef } from 'react'
import { call } from '../api.ts'
import type { Made } from './answer.ts'

type Params = { project: string; campaign: string; item: string }

const DRAFT_MILLISECONDS = 700
const HEARTBEAT_MILLISECONDS = 60_000

/** `seconds`: of activity so far, which lie in the draft too. */
type Kept = { params: Params; seconds: () => number }

/**
 * Saves what is made a moment after it changed, and when it is left, so that another page or device goes on from there.
 * Answers how to forget it, once it is an answer.
 */
export function useDraft(made: Made, loaded: Made, { params, seconds }: Kept): () => void {
  const now = JSON.stringify(made)
  const state = useRef({ saved: JSON.stringify(loaded), now, params, seconds })
  Object.assign(state.current, { now, params, seconds })
  useEffect(() => {
    const timer = setTimeout(() => saveDraft(state.current), DRAFT_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [now])
  useEffect(() => () => saveDraft(state.current), [])
  return () => (state.current.saved = state.current.now)
}

function saveDraft(state: Kept & { saved: string; now: string }): void {
  const { now, params, seconds } = state
  if (now === state.saved) return
  const body = { ...(JSON.parse(now) as Made), activeSeconds: seconds() }
  call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/draft', { params, body }).then(
    () => (state.saved = now),
    () => {}, // the next change, or the answer itself, brings it
  )
}

export function useHeartbeat({ project, campaign, item }: Params): void {
  useEffect(() => {
    const params = { project, campaign, item }
    const timer = setInterval(() => {
      if (document.hidden) return
      call('PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/lease', { params }).catch(() => {})
    }, HEARTBEAT_MILLISECONDS)
    return () => clearInterval(timer)
  }, [project, campaign, item])
}
