// Answers on their way: kept on this device until the server has acknowledged each, sent again by the same key while it
// cannot be reached, over reloads too. The server counts one key once.
import type { AnswerOf, BodyGiven } from '#server/contract'
import { ApiError, call } from '../api.ts'
import type { Submit } from './answer.ts'

type Params = { project: string; campaign: string; item: string }
export type Waiting = { user: string; params: Params; body: BodyGiven<Submit> }
export type Sent = AnswerOf<Submit>

const PLACE = 'hone.outbox'
const FIRST_WAIT = 500
const LONGEST_WAIT = 8000

export function waiting(user: string): Waiting[] {
  return read().filter((entry) => entry.user === user)
}

/**
 * Sends until the server says yes or no; `onWait` hears each time that it did not answer. Throws what the server refused;
 * then the entry is gone too.
 */
export async function send(entry: Waiting, onWait: (isAway: boolean) => void): Promise<Sent> {
  write([...read().filter(({ body }) => body.key !== entry.body.key), entry])
  for (let pause = FIRST_WAIT; ; pause = Math.min(pause * 2, LONGEST_WAIT)) {
    try {
      // What was changed meanwhile under the same key goes in its place.
      const newest = read().find(({ body }) => body.key === entry.body.key) ?? entry
      const answer = await call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement', newest)
      remove(entry)
      onWait(false)
      return answer
    } catch (error) {
      const isAway = error instanceof ApiError && (error.status === 0 || error.status >= 500 || error.status === 429)
      // Signed out meanwhile: the answer stays here until its author is back.
      if (!isAway) {
        if (!(error instanceof ApiError && error.status === 401)) remove(entry)
        onWait(false)
        throw error
      }
      onWait(true)
      await new Promise((done) => setTimeout(done, pause))
    }
  }
}

function remove({ body }: Waiting): void {
  write(read().filter((entry) => entry.body.key !== body.key))
}

function read(): Waiting[] {
  try {
    return JSON.parse(localStorage.getItem(PLACE) ?? '[]') as Waiting[]
  } catch {
    return []
  }
}

function write(entries: readonly Waiting[]): void {
  localStorage.setItem(PLACE, JSON.stringify(entries))
}
