// One attempt at a delivery: signed as Standard Webhooks 1.0 has it (HMAC-SHA256 over id, time and body), sent to the address
// that was looked at, for so many seconds, following nobody elsewhere. What is answered is not kept but for its status.
import { createHmac } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { type Address, addressFor, NotPublic, type Resolve, webhookUrl } from './addresses.ts'

const ATTEMPT_MILLISECONDS = 10_000

export type Attempt = { isTaken: boolean; status: number | null; problem: string }
export type Message = { id: string; url: string; secret: Buffer; body: string }

/** `v1,` and base64, over `id.timestamp.body`. */
export function signatureOf({ id, secret, body }: Omit<Message, 'url'>, timestamp: number): string {
  return `v1,${createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

/** Never throws: what went wrong is the attempt's. */
export async function attempt(
  message: Message,
  o: { allowed: readonly string[]; resolve: Resolve; version: string; signal: AbortSignal },
): Promise<Attempt> {
  const timestamp = Math.floor(Date.now() / 1000)
  try {
    const url = webhookUrl(message.url)
    const address = await addressFor(url, o)
    const status = await post(url, address, {
      body: message.body,
      signal: AbortSignal.any([o.signal, AbortSignal.timeout(ATTEMPT_MILLISECONDS)]),
      headers: {
        'content-type': 'application/json',
        'user-agent': `hone/${o.version}`,
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatureOf(message, timestamp),
      },
    })
    const isTaken = status >= 200 && status < 300
    return { isTaken, status, problem: isTaken ? '' : status < 400 ? 'it answered with a redirection' : '' }
  } catch (error) {
    return { isTaken: false, status: null, problem: wordsOf(error) }
  }
}

function post(
  url: URL,
  { address, family }: Address,
  o: { body: string; headers: Record<string, string>; signal: AbortSignal },
): Promise<number> {
  return new Promise((done, fail) => {
    const asking = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      headers: { ...o.headers, 'content-length': Buffer.byteLength(o.body) },
      agent: false,
      signal: o.signal,
      // Node asks here instead of asking the resolver again.
      lookup: (_, { all }, found) => (all ? found(null, [{ address, family }]) : found(null, address, family)),
    })
    asking.once('error', fail)
    asking.once('response', (answer) => {
      done(answer.statusCode ?? 0)
      answer.destroy()
    })
    asking.end(o.body)
  })
}

/** For the people of the project: of an address inside they learn nothing but that it was not reached. */
function wordsOf(error: unknown): string {
  if (error instanceof NotPublic) return error.message
  const { code, name } = error as { code?: string; name?: string }
  if (name === 'TimeoutError') return `no answer within ${ATTEMPT_MILLISECONDS / 1000} seconds`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the name is not known'
  return `it could not be reached (${code ?? name ?? 'no reason given'})`
}
