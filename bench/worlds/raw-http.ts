// HTTP/1.1 over one kept connection with as little work as may be: beside a server that is measured on the same machine, a
// client that parses headers would measure itself.
import { connect, type Socket } from 'node:net'

export type RawAnswer = { status: number; body: string }
export type RawClient = { post(path: string, body: string): Promise<RawAnswer>; close(): void }

/** `cookie` as a browser sends it. One request at a time. */
export async function rawClient({
  port,
  origin,
  cookie,
}: {
  port: number
  origin: string
  cookie: string
}): Promise<RawClient> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((done, fail) => void socket.once('connect', done).once('error', fail))
  const head = `Host: ${new URL(origin).host}\r\nOrigin: ${origin}\r\nSec-Fetch-Site: same-origin\r\nCookie: ${cookie}\r\nContent-Type: application/json\r\n`
  let waiting: { done: (answer: RawAnswer) => void; fail: (error: Error) => void } | undefined
  let held = Buffer.alloc(0)
  socket.on('data', (piece) => {
    held = held.length === 0 ? piece : Buffer.concat([held, piece])
    const end = held.indexOf('\r\n\r\n')
    if (end < 0) return
    const headers = held.toString('latin1', 0, end).toLowerCase()
    const [, length] = /\r\ncontent-length: (\d+)/.exec(headers) ?? []
    if (length === undefined) return waiting?.fail(new Error(`expected a content-length, got ${headers}`))
    const whole = end + 4 + Number(length)
    if (held.length < whole) return
    const answer = { status: Number(headers.slice(9, 12)), body: held.toString('utf8', end + 4, whole) }
    held = held.subarray(whole)
    const { done } = waiting!
    waiting = undefined
    done(answer)
  })
  for (const event of ['error', 'close'] as const)
    socket.on(event, () => waiting?.fail(new Error('the connection broke')))
  return {
    post: (path, body) =>
      new Promise((done, fail) => {
        waiting = { done, fail }
        socket.write(`POST ${path} HTTP/1.1\r\n${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      }),
    close: () => socket.destroy(),
  }
}
