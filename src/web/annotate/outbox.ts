// Answers on their way: kept on this device until the server has acknowledged each, sent again by the same key while it
// cannot be reached, over reloads too. The server counts one key once.
import { useEffect, useRef, useState } from 'react'
import type { AnswerOf, BodyGiven, ParamsOf } from '#server/contract'
import { ApiError, call } from '../api.ts'
import { forgetOnDevice } from '../kept.ts'
import { useMe } from '../who.ts'
import type { Submit } from './answer.ts'

/** A pair, ratings or a ranking, a demonstration. */
export type Answering =
  | Submit
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer'
  | 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration'
/** `to`: what takes it; `place`: where else this device has it, until the server does. */
export type Waiting<K extends Answering = Answering> = {
  user: string
  to: K
  params: ParamsOf<K>
  body: BodyGiven<K>
  place?: string
}

const PLACE = 'hone.outbox'
const FIRST_WAIT = 500
const LONGEST_WAIT = 8000

export function waiting(user: string): Waiting[] {
  return read().filter((entry) => entry.user === user)
}

/** The key of an answer to this item: of one that waits since its author was signed out, which it takes the place of, or a new one. */
export function keyFor(user: string, item: string): string {
  return waiting(user).find(({ params }) => params.item === item)?.body.key ?? crypto.randomUUID()
}

/**
 * Sends until the server says yes or no; `onWait` hears each time that it did not answer. Throws what the server refused;
 * then the entry is gone too.
 */
export async function send<K extends Answering>(
  entry: Waiting<K>,
  onWait: (isAway: boolean) => void,
): Promise<AnswerOf<K>> {
  const { key } = (entry as Waiting).body
  write([...othersThan(key), entry])
  for (let pause = FIRST_WAIT; ; pause = Math.min(pause * 2, LONGEST_WAIT)) {
    try {
      // What was changed meanwhile under the same key goes in its place.
      const newest = (read().find(({ body }) => body.key === key) ?? entry) as Waiting<K>
      const answer = await call(entry.to, newest)
      write(othersThan(key))
      if (entry.place !== undefined) forgetOnDevice(entry.place)
      onWait(false)
      return answer
    } catch (error) {
      const isAway = error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
      // Signed out meanwhile: the answer stays here until its author is back.
      if (!isAway) {
        if (!(error instanceof ApiError && error.status === 401)) write(othersThan(key))
        onWait(false)
        throw error
      }
      onWait(true)
      await new Promise((done) => setTimeout(done, pause))
    }
  }
}

/**
 * Opens a screen of answering: what an earlier page could not send goes first; the task waits for one attempt, and comes anew
 * when it went through. `load` and `onRefused` are kept stable by their caller.
 */
export function useOutbox({
  load,
  onRefused,
}: {
  load: () => Promise<void>
  onRefused: (refusal: Error) => Promise<void>
}): { isAway: boolean; setAway: (isAway: boolean) => void } {
  const me = useMe()
  const [isAway, setAway] = useState(false)
  const isFirst = useRef(true)
  useEffect(() => {
    if (!isFirst.current) return
    isFirst.current = false
    const entries = waiting(me.id)
    if (entries.length === 0) void load()
    for (const entry of entries) {
      let isLate = false
      const onWait = (isAway: boolean): void => {
        setAway(isAway)
        if (isAway && !isLate) void load()
        isLate ||= isAway
      }
      void send(entry, onWait)
        .then(
          () => null,
          (refusal: Error) => new Error(`An answer that was kept on this device: ${refusal.message}`),
        )
        .then((refusal) => (refusal ? onRefused(refusal) : load()))
    }
  }, [load, onRefused, me.id])
  return { isAway, setAway }
}

function othersThan(key: string): Waiting[] {
  return read().filter(({ body }) => body.key !== key)
}

function read(): Waiting[] {
  try {
    const entries = JSON.parse(localStorage.getItem(PLACE) ?? '[]') as (Omit<Waiting, 'to'> & { to?: Answering })[]
    // Those of earlier pages are answers to pairs, and do not say so.
    return entries.map((entry) => ({
      to: 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement',
      ...entry,
    }))
  } catch {
    return []
  }
}

function write(entries: readonly Waiting[]): void {
  if (entries.length === 0) localStorage.removeItem(PLACE)
  else localStorage.setItem(PLACE, JSON.stringify(entries))
}
