// npm run trials -- serving [CLIENTS]: what the server and the process of the model cost when clients misbehave. Many ask for long
// streams and stop reading, of completions and of a run's events; one leaves in the middle of an answer. Says the memory of
// both processes before and at their most, and how long a model goes on for somebody who left. Exits 1 beyond 50 MB or 1 s.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

const CLIENTS = Number(process.argv[2] ?? 100)
const CONTEXT = 4096
const MOST_MEGABYTES = 50
const MOST_MILLISECONDS = 1000
/** What a run writes while its watchers stand still. */
const WRITTEN_MEGABYTES = 40

type Server = { port: number; key: string; cookie: string; workspace: string; pids: [number, number] }
const child = spawn(
  process.execPath,
  ['--import', 'tsx', join(import.meta.dirname, 'worlds/serving-child.ts'), String(CONTEXT)],
  { stdio: ['pipe', 'pipe', 'inherit'] },
)
const first = await new Promise<string>((done, fail) => {
  createInterface(child.stdout).once('line', done)
  child.once('exit', (code) => fail(new Error(`the server ended with ${code}`)))
})
const server = JSON.parse(first) as Server

/** Resident, MB, of both processes. */
const memory = (): number[] =>
  server.pids.map((pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024)

function request(method: string, path: string, headers: Record<string, string>, body = ''): string {
  const all = {
    host: `localhost:${server.port}`,
    ...headers,
    ...(body !== '' && { 'content-length': String(Buffer.byteLength(body)) }),
  }
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n${body}`
}

/** Sends, reads the head of the answer, and then nothing more. */
function stall(text: string): Promise<{ socket: Socket; status: number }> {
  return new Promise((done, fail) => {
    const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
    socket.once('error', fail)
    socket.once('data', (head: Buffer) => {
      socket.pause()
      done({ socket, status: Number(/^HTTP\/1.1 (\d+)/.exec(head.toString('latin1'))?.[1]) })
    })
  })
}

const completion = (over: object) =>
  request(
    'POST',
    '/v1/completions',
    { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    JSON.stringify({ model: 'desk', prompt: 'What colour', max_tokens: 1000, seed: 1, stream: true, ...over }),
  )

/** The most that either process held over what it held before, MB. */
async function mostDuring(work: () => Promise<void>): Promise<number[]> {
  const before = memory()
  const most = [0, 0]
  const over = new AbortController()
  const watching = (async () => {
    while (!over.signal.aborted) {
      for (const [i, now] of memory().entries()) most[i] = Math.max(most[i]!, now - before[i]!)
      await sleep(50)
    }
  })()
  await work()
  over.abort()
  await watching
  return most.map((megabytes) => Math.round(megabytes))
}

const wrong: string[] = []
try {
  // Warm: the model is loaded and each path was taken once.
  for (let i = 0; i < 3; i++) (await stall(completion({ max_tokens: 200 }))).socket.destroy()
  await sleep(2000)

  const stalled: Socket[] = []
  const statuses: Record<string, number> = {}
  const ofCompletions = await mostDuring(async () => {
    for (let i = 0; i < CLIENTS; i++) {
      const { socket, status } = await stall(completion({ n: 2 }))
      statuses[status] = (statuses[status] ?? 0) + 1
      stalled.push(socket)
    }
    await sleep(10_000)
  })
  console.log(
    `${CLIENTS} stalled readers of completions by one key: answered ${JSON.stringify(statuses)}; server +${ofCompletions[0]} MB, model's process +${ofCompletions[1]} MB`,
  )
  for (const socket of stalled) socket.destroy()
  if (!statuses['429']) wrong.push('a key has as many answers at once as it likes')
  await sleep(2000)

  const watchers: Socket[] = []
  const run = join(server.workspace, 'runs', 'watched')
  const ofEvents = await mostDuring(async () => {
    const events = request('GET', '/api/projects/desk/runs/watched/events?from=0.0.0.0', { cookie: server.cookie })
    for (let i = 0; i < CLIENTS; i++) watchers.push((await stall(events)).socket)
    const line = `${'x'.repeat(1000)}\n`
    for (let written = 0; written < WRITTEN_MEGABYTES; written++) {
      fs.appendFileSync(join(run, 'output.txt'), line.repeat(1000))
      await sleep(100)
    }
    await sleep(3000)
  })
  console.log(`${CLIENTS} stalled watchers of a run that says ${WRITTEN_MEGABYTES} MB: server +${ofEvents[0]} MB`)
  for (const socket of watchers) socket.destroy()
  for (const [what, megabytes] of [
    ['completions, the server', ofCompletions[0]!],
    ['completions, the model’s process', ofCompletions[1]!],
    ['events, the server', ofEvents[0]!],
  ] as const)
    if (megabytes > MOST_MEGABYTES) wrong.push(`${what}: ${megabytes} MB`)

  const gone: number[] = []
  for (const isStream of [true, false])
    for (let i = 0; i < 5; i++) {
      const socket = connect(server.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(completion({ max_tokens: 1024, n: 16, stream: isStream, temperature: 1 }))
      await sleep(500)
      socket.destroy()
      gone.push(await untilIdle(server.pids[1]))
    }
  const worst = Math.max(...gone)
  console.log(
    `a client that leaves: the model’s process is idle after ${gone.map((ms) => ms.toFixed(0)).join(', ')} ms`,
  )
  if (worst > MOST_MILLISECONDS) wrong.push(`a model went on for ${worst.toFixed(0)} ms after its client had left`)
} finally {
  child.stdin.end()
}
for (const line of wrong) console.log(`WRONG: ${line}`)
process.exit(wrong.length === 0 ? 0 : 1)

/** Milliseconds until it uses no processor for a while: its clock stands still. */
async function untilIdle(pid: number): Promise<number> {
  const ticks = (): number => {
    const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const start = performance.now()
  let [last, since] = [ticks(), start]
  for (;;) {
    await sleep(20)
    const now = ticks()
    if (now - last > 1) [last, since] = [now, performance.now()]
    else if (performance.now() - since > 300) return since - start
    if (performance.now() - start > 30_000) return performance.now() - start
  }
}
