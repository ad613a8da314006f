// The server's side of the socket. The process is started at the first call, ends with this one, and is started again by the
// next call after its death; calls that were under way then fail as gone.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { DataError, EngineError, HttpError } from '#errors'
import type { DrawnSample, LoadedModel, SamplerLink } from './contract.ts'

const gone = (message: string, cause?: unknown): HttpError => new HttpError(503, message, { cause })

const START_MILLISECONDS = 120_000
const KILL_MILLISECONDS = 5000

/** `command`: program and arguments; `--socket PATH` is added. */
export function openSamplerLink({
  command,
  onSaid = (text) => process.stderr.write(text),
}: {
  command: readonly [string, ...string[]]
  /** What the process writes to standard error. */
  onSaid?: (text: string) => void
}): SamplerLink {
  // A unix socket's path ends at 107 bytes, so it does not lie in the workspace. mkdtemp makes the folder mode 0700.
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-sampler-'))
  let started: Promise<Started> | undefined
  let running: ChildProcess | undefined
  let [count, isClosed] = [0, false]

  function ensure(): Promise<Started> {
    if (isClosed) throw gone('the sampler was closed')
    started ??= start().catch((error: unknown) => {
      started = undefined
      throw error
    })
    return started
  }

  async function start(): Promise<Started> {
    const socket = join(folder, String(++count))
    const [program, ...args] = command
    // Its standard input is this process: when that ends, so does the sampler.
    const child = spawn(program, [...args, '--socket', socket], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stderr.on('data', (piece: Buffer) => onSaid(piece.toString()))
    const ended = new Promise<never>((_, fail) => {
      child.once('error', (cause) => fail(gone(`the sampler did not start: ${cause.message}`, cause)))
      child.once('exit', (code, signal) => {
        if (running === child) [running, started] = [undefined, undefined]
        fail(gone(`the sampler ended (${signal ?? code})`))
      })
    })
    ended.catch(() => {})
    const timer = setTimeout(() => child.kill('SIGKILL'), START_MILLISECONDS)
    try {
      await Promise.race([new Promise((done) => createInterface(child.stdout).once('line', done)), ended])
    } finally {
      clearTimeout(timer)
    }
    running = child
    return { socket, ended }
  }

  /** Resolves with the head of the answer, and what rejects when the process that gives it ends. */
  async function send(path: string, o: Sent): Promise<{ answer: IncomingMessage; ended: Promise<never> }> {
    const { socket, ended } = await ensure()
    try {
      return { answer: await sendTo(socket, path, o), ended }
    } catch (error) {
      // Killed a moment ago: nobody listens there any more, and this was not begun.
      const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
      if (code !== 'ECONNREFUSED' && code !== 'ENOENT') throw await onceEnded(error, { ended, signal: o.signal })
      await ended.catch(() => {})
      const next = await ensure()
      return { answer: await sendTo(next.socket, path, o), ended: next.ended }
    }
  }

  function sendTo(socket: string, path: string, o: Sent): Promise<IncomingMessage> {
    return new Promise((done, fail) => {
      const headers = { ...(o.body !== undefined && { 'content-type': 'application/json' }), ...o.headers }
      const asking: ClientRequest = httpRequest(
        { socketPath: socket, path, method: o.method, headers, agent: false },
        done,
      )
      asking.once('error', (cause) => {
        const isAborted = o.signal?.aborted === true
        fail(isAborted ? (o.signal!.reason as Error) : gone('the sampler ended under a call', cause))
      })
      const leave = (): void => void asking.destroy()
      if (o.signal?.aborted) leave()
      o.signal?.addEventListener('abort', leave, { once: true })
      asking.once('close', () => o.signal?.removeEventListener('abort', leave))
      asking.end(o.body)
    })
  }

  return {
    async load(of, signal) {
      const { answer, ended } = await send('/load', { method: 'POST', body: JSON.stringify({ folder: of }), signal })
      const text = await textOf(answer).catch(async (error: unknown) => {
        throw await onceEnded(goneOf(error), { ended, signal })
      })
      const body = JSON.parse(text) as LoadedModel & Failure
      if (body.error) throw failureOf(body)
      return body
    },
    async *draw(request, signal) {
      const { answer, ended } = await send('/draw', { method: 'POST', body: JSON.stringify(request), signal })
      try {
        for await (const line of createInterface(answer)) {
          const drawn = JSON.parse(line) as DrawnSample & Failure
          if (drawn.error) throw failureOf(drawn)
          yield drawn
        }
      } catch (error) {
        if (error instanceof DataError || error instanceof EngineError) throw error
        throw await onceEnded(goneOf(error), { ended, signal })
      } finally {
        answer.destroy()
      }
      if (!answer.complete && !signal?.aborted)
        throw await onceEnded(gone('the sampler ended under a call'), { ended, signal })
    },
    async answer({ folder: of, hash, name }, { method, path, body, signal }) {
      const named = Object.entries({ folder: of, hash, name })
      const headers = Object.fromEntries(named.map(([key, value]) => [`hone-${key}`, encodeURIComponent(value)]))
      const { answer } = await send(path, { method, body, headers, signal })
      const kept = ['content-type', 'retry-after', 'cache-control', 'x-accel-buffering'].flatMap((key) => {
        const value = answer.headers[key]
        return typeof value === 'string' ? [[key, value] as [string, string]] : []
      })
      const stream = Readable.toWeb(answer) as ReadableStream<Uint8Array>
      return new Response(stream, { status: answer.statusCode ?? 500, headers: kept })
    },
    pid: () => running?.pid,
    async close() {
      isClosed = true
      const child = running
      if (child) {
        const ended = new Promise((done) => child.once('exit', done))
        child.stdin?.end()
        const timer = setTimeout(() => child.kill('SIGKILL'), KILL_MILLISECONDS)
        await ended
        clearTimeout(timer)
      }
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** `ended` rejects with what ended it. */
type Started = { socket: string; ended: Promise<never> }
type Sent = {
  method: string
  body?: string | undefined
  headers?: Record<string, string>
  signal?: AbortSignal | undefined
}
type Failure = { error?: { message: string; isAskers: boolean } }

function failureOf({ error }: Failure): Error {
  return error!.isAskers ? new DataError(error!.message) : new EngineError(error!.message)
}

function goneOf(cause: unknown): HttpError {
  return cause instanceof HttpError ? cause : gone('the sampler ended under a call', cause)
}

/**
 * The error, once the process has ended: its connections break some moments before, and until then it takes new ones, only to break
 * them too. One that goes on after all, or a call that was left, is not waited for.
 */
async function onceEnded<E>(error: E, { ended, signal }: Pick<Started, 'ended'> & Pick<Sent, 'signal'>): Promise<E> {
  if (signal?.aborted) return error
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise((done) => (timer = setTimeout(done, KILL_MILLISECONDS)))
  await Promise.race([ended.catch(() => {}), patience])
  clearTimeout(timer)
  return error
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = ''
  for await (const piece of answer) text += String(piece)
  return text
}
