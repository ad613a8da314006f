// The server on its own Postgres, as people meet it: `hone serve` as a process, clients over HTTP.
// rate: judgements a second by 16 clients, each answer durable before it is acknowledged, beside pgbench doing the very same
// statements on the same Postgres, by turns in one run. latency: submit and next task with 8 annotators while a run trains.
// page: a run page with 20 runs of 10,000 steps. start and idle: how long until it listens, and what it holds in memory.
// npm run bench -- server [--parts start,idle,rate,latency,page] [--seconds 10] [--rounds 2] [--items 20000]
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { randomUUID } from 'node:crypto'
import type { SamplerLink } from '#sampler/contract'
import { createServer } from '#server'
import { openStore } from '#store'
import { addTinyRuns, tinyOrder } from '../trials/worlds/job-workspace.ts'
import { makeSmallFiles } from '../trials/worlds/small-run.ts'
import {
  invite,
  makeEmptyWorkspace,
  must,
  openCampaign,
  type Serving,
  setUpBy,
  startServing,
  type Visitor,
} from '../trials/worlds/visitors.ts'
import { writeLongRuns } from './worlds/long-runs.ts'
import { findPgbench, type Person, recording, runPgbench, scriptOf } from './worlds/pgbench.ts'
import { rawClient } from './worlds/raw-http.ts'

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: 'start,idle,rate,latency,page' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '2' },
    items: { type: 'string', default: '20000' },
  },
})
const parts = new Set(values.parts.split(','))
const seconds = Number(values.seconds)
const CLIENTS = 16
const ANNOTATORS = 8
/** Nothing is drawn here. */
const NO_SAMPLER = { close: async () => {} } as unknown as SamplerLink

type Work = { task: { id: string } | null }
const answerWith = (key: string): object => ({ key, choice: 'left', strength: 2, reason: '', activeSeconds: 1 })
const tokenOf = (person: Visitor): string => person.cookie()!.split('=')[1]!

const workspace = makeEmptyWorkspace('hone-bench-server-')
if (parts.has('page')) writeLongRuns(workspace, { runs: 20, steps: 10_000 })
if (parts.has('latency')) {
  const files = join(workspace, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  await addTinyRuns(workspace, files)
}
let serving: Serving = await timed('first start, its database made', () => startServing(workspace, { trainers: 1 }))
try {
  const lead = await setUpBy(serving)
  const port = Number(new URL(serving.url).port)
  if (parts.has('start')) {
    for (let i = 0; i < 3; i++) {
      await serving.stop()
      serving = await timed('cold start', () => startServing(workspace, { port, trainers: 1 }))
    }
  }
  if (parts.has('idle')) {
    await must(lead, 'GET /api/state')
    // Connections that nobody uses are closed after ten seconds.
    await sleep(15_000)
    sayMemory('idle')
  }
  if (parts.has('page')) await page(lead)
  if (parts.has('rate')) await rate(lead)
  if (parts.has('latency')) await latency(lead)
  lead.close()
} finally {
  await serving.stop()
  fs.rmSync(workspace, { recursive: true, force: true })
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  const done = await work()
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(2)} s`)
  return done
}

/** Of the server and of every process of its Postgres: resident, and with what they share counted once. */
function sayMemory(when: string): void {
  const postmaster = Number(fs.readFileSync(join(workspace, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  const children = fs.readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8').trim().split(' ')
  const of = (pid: number | string): { rss: number; pss: number } => {
    const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    const kilobytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)![1])
    return { rss: kilobytes('Rss') / 1024, pss: kilobytes('Pss') / 1024 }
  }
  const server = of(serving.process.pid!)
  const database = [postmaster, ...children].map(of)
  const sum = (name: 'rss' | 'pss'): number => database.reduce((total, process) => total + process[name], 0)
  console.log(
    `${when}: server ${server.rss.toFixed(0)} MiB resident, database ${sum('rss').toFixed(0)} in ${database.length} processes (${sum('pss').toFixed(0)} with what they share counted once); together ${(server.rss + sum('rss')).toFixed(0)} MiB resident`,
  )
}

async function page(lead: Visitor): Promise<void> {
  const ask = async (path: string): Promise<number> => {
    const began = performance.now()
    await must(lead, `GET /api/projects/desk/${path}`)
    return performance.now() - began
  }
  const list = await ask('runs')
  const run = await ask('runs/run-7')
  const first = await ask('runs/run-7/curves?points=800')
  const again = await ask('runs/run-7/curves?points=800')
  console.log(
    `run page, 20 runs of 10,000 steps: list ${list.toFixed(0)} ms, run ${run.toFixed(0)} ms, its curves ${first.toFixed(0)} ms at first and ${again.toFixed(0)} ms again; all three at first ${(list + run + first).toFixed(0)} ms`,
  )
}

async function rate(lead: Visitor): Promise<void> {
  const people = await invite(lead, serving.url, CLIENTS)
  const campaign = await openCampaign(lead, people, { name: 'rate', items: Number(values.items), overlap: 9 })
  const port = Number(new URL(serving.url).port)
  const clients = await Promise.all(
    people.map((person) => rawClient({ port, origin: serving.url, cookie: person.cookie()! })),
  )
  const tasks = await Promise.all(
    clients.map(async (client) => (JSON.parse((await client.post(`${campaign}/claim`, '')).body) as Work).task!.id),
  )
  const overHttp = async (): Promise<{ perSecond: number; milliseconds: number[] }> => {
    const milliseconds: number[] = []
    const until = performance.now() + seconds * 1000
    await Promise.all(
      clients.map(async (client, i) => {
        while (performance.now() < until) {
          const began = performance.now()
          const body = JSON.stringify(answerWith(randomUUID()))
          const { status, body: text } = await client.post(`${campaign}/items/${tasks[i]}/judgement`, body)
          milliseconds.push(performance.now() - began)
          if (status !== 200) throw new Error(`${status} ${text}`)
          tasks[i] = (JSON.parse(text) as Work).task!.id
        }
      }),
    )
    return { perSecond: milliseconds.length / seconds, milliseconds }
  }
  const program = findPgbench()
  const scripted = program === undefined ? undefined : await record(people, campaign, tasks)
  const password = fs.readFileSync(join(workspace, 'postgres/password'), 'utf8')
  const url = `postgresql://hone:${password}@/hone?host=${encodeURIComponent(join(workspace, 'postgres'))}`
  for (let round = 0; round < Number(values.rounds); round++) {
    const http = await overHttp()
    sayTimes(`over HTTP, ${CLIENTS} clients: ${http.perSecond.toFixed(0)} judgements a second`, http.milliseconds)
    if (!scripted || program === undefined) {
      console.log('no pgbench on this machine: install Debian’s postgresql-contrib to hold it against')
      continue
    }
    await hand(people, tasks)
    for (const protocol of ['extended', 'prepared'] as const) {
      const given = { script: scripted.script, folder: workspace, clients: CLIENTS, seconds, protocol, url }
      const pgbench = runPgbench(program, given)
      console.log(
        `pgbench, the same ${scripted.statements} statements, ${protocol}: ${pgbench.perSecond.toFixed(0)} a second; HTTP has ${(http.perSecond / pgbench.perSecond).toFixed(2)} of it`,
      )
      await hand(people, tasks)
    }
    // What pgbench claimed last is what each person holds now.
    for (const [i, client] of clients.entries())
      tasks[i] = (JSON.parse((await client.post(`${campaign}/claim`, '')).body) as Work).task!.id
  }
  sayMemory('after that')
  for (const client of clients) client.close()
  for (const person of people) person.close()
}

/** One submit of the first person, by a server in this process over a store that notes its statements. */
async function record(
  people: readonly Visitor[],
  campaign: string,
  tasks: string[],
): Promise<{ script: string; statements: number }> {
  const store = await openStore({ workspace })
  const noting = recording(store)
  const server = await createServer({
    store: noting.store,
    workspace,
    hone: '0',
    sampler: NO_SAMPLER,
    domains: [],
    web: workspace,
    isLoopback: true,
    addressOf: () => '127.0.0.1',
    onDefect: (error) => {
      throw error
    },
  })
  const [person] = people as [Visitor]
  const by: Person = { id: person.id, token: tokenOf(person), item: tasks[0]! }
  const key = randomUUID()
  const headers = {
    origin: serving.url,
    'sec-fetch-site': 'same-origin',
    cookie: person.cookie()!,
    'content-type': 'application/json',
  }
  noting.take()
  const answer = await server.app.request(`${serving.url}${campaign}/items/${by.item}/judgement`, {
    method: 'POST',
    headers,
    body: JSON.stringify(answerWith(key)),
  })
  const { task } = (await answer.json()) as Work
  const recorded = noting.take().filter(({ text }) => !text.includes('from audit') && !text.includes('update audit'))
  tasks[0] = task!.id
  await server.close()
  await store.close()
  return scriptOf(recorded, { by, key, next: task!.id })
}

/** Tells pgbench who its clients are and what each holds. */
async function hand(people: readonly Visitor[], tasks: readonly string[]): Promise<void> {
  const store = await openStore({ workspace })
  await store.query('drop table if exists bench_people')
  await store.query('create table bench_people (n integer primary key, person uuid, session text, item bigint)')
  for (const [n, person] of people.entries())
    await store.query(
      `insert into bench_people select $1, $2, '\\x' || encode(sha256($3), 'hex'),
         coalesce((select item_id from claims where user_id = $2 order by claimed_at desc limit 1), $4)`,
      [n, person.id, Buffer.from(tokenOf(person)), tasks[n]],
    )
  await store.close()
}

async function latency(lead: Visitor): Promise<void> {
  const people = await invite(lead, serving.url, ANNOTATORS)
  const campaign = await openCampaign(lead, people, { name: 'latency', items: Number(values.items), overlap: 9 })
  const body = tinyOrder(100_000)
  await must(lead, 'POST /api/projects/desk/runs', { ...body, name: 'beside' })
  for (;;) {
    const { runs } = (await must(lead, 'GET /api/projects/desk/runs')) as {
      runs: { run: string; step: number | null }[]
    }
    if ((runs.find(({ run }) => run === 'beside')?.step ?? 0) > 0) break
    await sleep(200)
  }
  const [submits, claims]: number[][] = [[], []]
  const until = performance.now() + seconds * 1000
  await Promise.all(
    people.map(async (person) => {
      while (performance.now() < until) {
        const asked = performance.now()
        const { task } = (await must(person, `POST ${campaign}/claim`)) as Work
        claims!.push(performance.now() - asked)
        // Faster than anybody judges.
        await sleep(250)
        const sent = performance.now()
        await must(person, `POST ${campaign}/items/${task!.id}/judgement`, answerWith(randomUUID()))
        submits!.push(performance.now() - sent)
      }
    }),
  )
  await must(lead, 'POST /api/projects/desk/runs/beside/stop')
  sayTimes(`${ANNOTATORS} annotators while a run trains, submit`, submits!)
  sayTimes(`${ANNOTATORS} annotators while a run trains, next task`, claims!)
  for (const person of people) person.close()
}

function sayTimes(what: string, milliseconds: number[]): void {
  const sorted = milliseconds.toSorted((a, b) => a - b)
  const at = (share: number): string => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1)
  console.log(`${what}: median ${at(0.5)} ms, p95 ${at(0.95)}, p99 ${at(0.99)}, worst ${at(1)} (${sorted.length})`)
}
