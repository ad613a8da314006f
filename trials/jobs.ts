// Kills the trainer and its children while they work through a queue of tiny runs: each run must end once, byte for byte as
// one that was left alone, and none may lie longer than its lease. Half of the kills hit the child, half the trainer, whose
// successor starts at once; a second trainer works beside it all the time.
// npm run trials -- jobs [jobs 500] [kills 50] [seed 1]
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createJob, listJobs, openStore } from '#store'
import { generator } from '#stats'
import { readRun } from '#trainer'
import { killWorker, makeJobWorkspace, tinyOrder } from './worlds/job-workspace.ts'

const STEPS = 12
/** Of the trainers in `trainer-child.ts`, and a look of theirs. */
const LEASE_SECONDS = 3
const [jobs = '500', kills = '50', seed = '1'] = process.argv.slice(2)
const random = generator(Number(seed))
const workspace = fs.mkdtempSync(join(tmpdir(), 'hone-jobs-'))
await makeJobWorkspace(workspace)
const store = await openStore({ workspace })
const [user] = await store.query<{ id: string }>(
  "insert into users (email, name, password_hash) values ('e@example.org', 'Eva', 'x') returning id",
)
const [project] = await store.query<{ id: string }>(
  "insert into projects (slug, name, file_prefix) values ('desk', 'Desk', '') returning id",
)
const runs = ['alone', ...Array.from({ length: Number(jobs) }, (_, i) => `run-${i}`)]
for (const run of runs)
  await createJob(store.query, { project: project!.id, run, recipe: 'sft', ordered: tinyOrder(STEPS), by: user!.id })

const script = join(import.meta.dirname, 'worlds/trainer-child.ts')
const begin = (): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', script, workspace], { stdio: ['ignore', 'ignore', 'inherit'] })
const trainers = [begin()]
const folderOf = (run: string): string => join(workspace, 'runs', run)
const states = async (): Promise<Record<string, number>> => {
  const rows = await store.query<{ state: string; n: number }>('select state, count(*)::int as n from jobs group by 1')
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]))
}
while (!fs.existsSync(join(folderOf('alone'), 'model'))) await sleep(200)
trainers.push(begin())

const began = performance.now()
let [ofChildren, ofTrainers, longest] = [0, 0, 0]
let killed = 0
for (;;) {
  const now = await states()
  const open = (now.queued ?? 0) + (now.running ?? 0)
  if (open === 0) break
  // How long a job has been without a trainer that lives.
  const [late] = await store.query<{ seconds: number | null }>(
    "select extract(epoch from max(now() - lease_until))::float8 as seconds from jobs where state = 'running'",
  )
  longest = Math.max(longest, late?.seconds ?? 0)
  await sleep(100 + random.uniform() * 200)
  // Spread over the queue: the next kill is due when that share of it is done.
  if (killed >= Number(kills) || (now.done ?? 0) < (killed * Number(jobs)) / Number(kills)) continue
  await sleep(random.uniform() * 3000)
  killed++
  if (killed % 2 === 0) {
    const place = killed % 4 === 0 ? 0 : 1
    trainers[place]!.kill('SIGKILL')
    trainers[place] = begin()
    ofTrainers++
  } else if (await killWorker(workspace, runs, { delay: random.uniform() * 200, withinSeconds: 10 })) ofChildren++
}
const seconds = (performance.now() - began) / 1000
for (const trainer of trainers) trainer.kill('SIGINT')

const alone = fs.readFileSync(join(folderOf('alone'), 'metrics.jsonl'))
const weights = readRun(folderOf('alone')).record.outputs.model!.hash
const wrong = runs.filter((run) => {
  const { record } = readRun(folderOf(run))
  return (
    record.status !== 'done' ||
    record.outputs.model?.hash !== weights ||
    !fs.readFileSync(join(folderOf(run), 'metrics.jsonl')).equals(alone)
  )
})
const all = await listJobs(store.query)
const again = all.filter(({ attempts }) => attempts > 1).length
const unfinished = all.filter(({ state }) => state !== 'done')
console.log(
  `${runs.length - 1} jobs, ${ofChildren} children and ${ofTrainers} trainers killed, ${seconds.toFixed(0)} s`,
)
console.log(`begun more than once ${again}, not done ${unfinished.length}, unlike the run left alone ${wrong.length}`)
console.log(`longest past its lease ${longest.toFixed(1)} s (lease ${LEASE_SECONDS} s)`)
await store.close()
fs.rmSync(workspace, { recursive: true, force: true })
// Kills that met nobody prove nothing.
const missed = Number(kills) - ofChildren - ofTrainers
if (missed > 0) console.log(`${missed} of ${kills} kills met no process`)
process.exit(unfinished.length + wrong.length > 0 || missed > Number(kills) / 10 ? 1 : 0)
