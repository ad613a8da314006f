// People submit over HTTP while the server and every process of its database are killed by SIGKILL. Each answer is sent with
// the same key until it is acknowledged: none of those may be lost, none may count twice, each has its line in the audit.
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { openStore, sealAudit, verifyAudit } from '#store'
import {
  invite,
  makeEmptyWorkspace,
  openCampaign,
  persist,
  type Serving,
  setUpBy,
  startServing,
  type Visitor,
} from '../worlds/visitors.ts'
import { compare, milliseconds, type Outcome } from './outcome.ts'

const OVERLAP = 4

export async function kills({
  submits,
  clients,
  kills: wanted,
}: {
  submits: number
  clients: number
  kills: number
}): Promise<Outcome> {
  const workspace = makeEmptyWorkspace()
  const failures: string[] = []
  let serving: Serving = await startServing(workspace)
  const port = Number(new URL(serving.url).port)
  const lead = await setUpBy(serving)
  const people = await invite(lead, serving.url, clients)
  const campaign = await openCampaign(lead, people, { name: 'pairs', items: submits / OVERLAP, overlap: OVERLAP })
  const acknowledged: string[] = []
  const conflicts: string[] = []
  const broken = new AbortController()

  const judge = async (person: Visitor): Promise<void> => {
    for (;;) {
      const claimed = await persist(person, `POST ${campaign}/claim`, undefined, () => broken.signal.aborted)
      const { task } = claimed.json as { task: { id: string } | null }
      if (!task) return
      const key = randomUUID()
      const answer = { key, choice: 'left', strength: 2, activeSeconds: 1 }
      const path = `POST ${campaign}/items/${task.id}/judgement`
      const { status, text } = await persist(person, path, answer, () => broken.signal.aborted)
      if (status === 200) acknowledged.push(key)
      else conflicts.push(`${status} ${text}`)
    }
  }
  const restarts: number[] = []
  const judging = Promise.all(people.map(judge)).catch((error: unknown) => {
    broken.abort()
    throw error
  })
  for (let kill = 0; kill < wanted; kill++) {
    const due = ((kill + 1) * submits) / (wanted + 1)
    while (acknowledged.length < due && !broken.signal.aborted) await sleep(5)
    const began = performance.now()
    await killAll(serving, workspace)
    serving = await startServing(workspace, { port })
    const reply = await persist(lead, 'GET /api/state', undefined, () => broken.signal.aborted)
    restarts.push(performance.now() - began)
    compare(failures, 'signed in still', (reply.json as { me: { id: string } | null }).me?.id, lead.id)
  }
  await judging
  for (const person of [lead, ...people]) person.close()
  compare(failures, 'exit code of a server told to end', await serving.stop(), 0)

  const store = await openStore({ workspace })
  await sealAudit(store)
  const rows = await store.query<{ key: string; item: string; user: string }>(
    "select key, item_id as item, user_id as user from judgements where state = 'current'",
  )
  const keys = new Set(rows.map(({ key }) => key))
  const [audited] = await store.query<{ rows: number; distinct: number }>(
    `select count(*)::int as rows, count(distinct subject)::int as distinct from audit
     join judgements on judgements.id::text = subject where action = 'judgement.submit'`,
  )
  const [all] = await store.query<{ n: number }>('select count(*)::int as n from judgements')
  const chain = await verifyAudit(store)
  await store.close()
  fs.rmSync(workspace, { recursive: true, force: true })

  compare(failures, 'acknowledged and lost', acknowledged.filter((key) => !keys.has(key)).length, 0)
  compare(failures, 'answers that stand', rows.length, submits)
  compare(failures, 'pairs of item and person', new Set(rows.map(({ item, user }) => `${item} ${user}`)).size, submits)
  compare(failures, 'refused', conflicts, [])
  compare(failures, 'audit lines and answers', audited, { rows: all!.n, distinct: all!.n })
  compare(failures, 'audit chain', chain.brokenAt, undefined)
  compare(failures, 'defects that the server told', serving.said(), '')
  const figures = [
    `${acknowledged.length} answers by ${clients} clients, ${wanted} kills of server and database: ` +
      `${acknowledged.filter((key) => !keys.has(key)).length} acknowledged lost, ${rows.length - new Set(rows.map(({ item, user }) => `${item} ${user}`)).size} twice`,
    `audit: ${audited!.rows} lines for ${all!.n} answers, chain of ${chain.rows} ${chain.brokenAt === undefined ? 'whole' : 'broken'}`,
    `from the kill to the first answer: ${restarts.map(milliseconds).join(', ')}`,
  ]
  return { figures, failures }
}

/** The server, and all processes of its Postgres at once: none of them is told that another died. */
async function killAll({ process: server }: Serving, workspace: string): Promise<void> {
  const postmaster = Number(fs.readFileSync(join(workspace, 'postgres/data/postmaster.pid'), 'utf8').split('\n')[0])
  const closed = new Promise((done) => server.once('close', done))
  const victims = [server.pid!, postmaster, ...childrenOf(postmaster)]
  for (const pid of victims) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // ended by itself in this moment
    }
  }
  await closed
}

function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split(' ').filter(Boolean).map(Number) : []
}
