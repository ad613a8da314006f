// Requests to the Hub. Redirects are followed here and not by fetch: the token must not leave the endpoint's origin, and
// what the Hub says of a file (its hash, its length) stands on the answer that redirects to the store.
import { HttpError } from '#errors'
import type { Hub } from './environment.ts'

export type Ask = { method?: 'GET' | 'HEAD'; range?: string; signal?: AbortSignal | undefined }
export type Answer = {
  /** The last one; its body is not read yet. */
  response: Response
  /** Headers of the first answer that speaks of the file itself: the last one of the endpoint's origin. */
  headers: Headers
}

const MOST_REDIRECTS = 10

/**
 * The answer at the end of all redirects, whatever its status; a HEAD ends where the endpoint sends it elsewhere. No
 * answer at all is an HttpError of status 0.
 */
export async function ask(hub: Hub, address: string, { method = 'GET', range, signal }: Ask = {}): Promise<Answer> {
  const own = new URL(hub.endpoint).origin
  let url = new URL(address)
  let headers: Headers | undefined
  for (let i = 0; i <= MOST_REDIRECTS; i++) {
    const isOwn = url.origin === own
    const response = await send(url, {
      method,
      redirect: 'manual',
      headers: {
        // Compressed on the way, lengths and ranges would be those of other bytes.
        'accept-encoding': 'identity',
        'user-agent': 'hone',
        ...(isOwn && hub.token !== undefined && { authorization: `Bearer ${hub.token}` }),
        ...(range !== undefined && { range }),
      },
      ...(signal && { signal }),
    })
    if (isOwn) headers = response.headers
    const location = response.status >= 300 && response.status < 400 ? response.headers.get('location') : null
    if (location === null) return { response, headers: headers ?? response.headers }
    await response.body?.cancel()
    const next = new URL(location, url)
    if (!/^https?:$/.test(next.protocol))
      throw new HttpError(response.status, `${url.href}: redirects to ${next.protocol}, which is not followed`)
    if (method === 'HEAD' && next.origin !== own) return { response, headers: headers ?? response.headers }
    url = next
  }
  throw new HttpError(310, `${address}: redirects more than ${MOST_REDIRECTS} times`)
}

/** The one error for an answer that is none of those expected. */
export function refused(hub: Hub, status: number, what: string): HttpError {
  const login =
    hub.token === undefined ? 'set HF_TOKEN if it is private or gated' : 'the token of HF_TOKEN may not read it'
  const meaning: Record<number, string> = {
    401: `not allowed: ${login}`,
    403: `not allowed: accept its terms at ${hub.endpoint}, and ${login}`,
    404: `not there: check the name and the revision, and ${login}`,
    429: 'too many requests: wait a while, then run again',
  }
  return new HttpError(status, `${what}: ${meaning[status] ?? 'the server failed; run again later'} (HTTP ${status})`)
}

async function send(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new HttpError(0, `${url.origin}: no answer: ${reason}; check the network and HF_ENDPOINT`, { cause })
  }
}
