// Disks that are full or broken at the n-th call, under an import, a checkpoint's save and submits (there it is Postgres whose
// disk fails): the error is told in words, what was there is there, nothing half made lies about, and the same again goes
// through once the disk takes writes.
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { listDatasets } from '#data'
import { DataError } from '#errors'
import { createEmbeddedEngine } from '#lm'
import { checkpointSteps, readCheckpoint } from '#trainer'
import { openHarness, type Person, setUp } from '../../src/server/harness.test-data.ts'
import { createRun } from '../../src/trainer/run-folder.ts'
import { failCall, type Failing } from '../worlds/failing-calls.ts'
import { makeSmallFiles } from '../worlds/small-run.ts'
import { failingPostgres } from '../worlds/failing-postgres.ts'
import { compare, type Outcome } from './outcome.ts'

/** `writes`: the call that fails, at most; `every`: each so many-th. */
type Tries = { writes: number; every?: number }

/** Each kind of write with both errors, at its first `writes` calls. */
export async function disks({ writes }: { writes: number }): Promise<Outcome> {
  const parts = [await imports({ writes }), await checkpoints({ writes })]
  if (spawnSync('cc', ['--version']).status === 0) parts.push(await submits({ writes }))
  else parts.push({ figures: ['submits: no C compiler, not tried'], failures: ['there is no C compiler'] })
  return { figures: parts.flatMap(({ figures }) => figures), failures: parts.flatMap(({ failures }) => failures) }
}

const CODES = ['ENOSPC', 'EIO'] as const
/** What a person is told: the disk, and what to do. */
const WORDS = /disk is full|disk reports an error|did not confirm/

export async function imports({ writes, every = 1 }: Tries): Promise<Outcome> {
  const harness = await openHarness()
  const owner = await setUp(harness)
  const failures: string[] = []
  // Larger than what is written at once.
  const file = (n: number): Uint8Array =>
    new TextEncoder().encode(
      Array.from({ length: 1200 }, (_, i) => `${JSON.stringify({ prompt: `${n}.${i} ${'x'.repeat(2000)}` })}\n`).join(
        '',
      ),
    )
  const clean = residue(harness.workspace)
  let [calls, told] = [0, 0]
  for (const code of CODES)
    for (let n = 1; n <= writes; n += every) {
      const name = `rows-${code.toLowerCase()}-${n}`
      const key = `POST /api/projects/desk/datasets/${name}?kind=prompts&file=rows.jsonl`
      const failing = failCall(harness.workspace, { n, code, except: '/postgres' })
      const first = await owner.ask(key, file(n)).finally(() => failing.stop())
      if (!failing.hasRefused()) {
        compare(failures, `import without a failure`, first.status, 200)
        break
      }
      calls++
      if (first.status === 200) failures.push(`import, call ${n} ${code}: acknowledged`)
      if (first.status === 507 && WORDS.test(first.text)) told++
      else failures.push(`import, call ${n} ${code}: ${first.status} ${first.text}`)
      if (first.text.includes(harness.workspace)) failures.push(`import, call ${n} ${code} tells a path: ${first.text}`)
      compare(failures, `import, call ${n} ${code}: what lies about`, residue(harness.workspace), clean)
      const again = await owner.ask(key, file(n))
      compare(
        failures,
        `import, call ${n} ${code}, again`,
        [again.status, (again.json as { rows?: number }).rows],
        [200, 1200],
      )
      if (!listDatasets(harness.workspace).includes(name)) failures.push(`import, call ${n}: not there`)
    }
  compare(failures, 'defects', harness.defects.map(String), [])
  await harness.close()
  return { figures: [`imports: refused at each of ${calls} calls, told in words ${told} times`], failures }
}

/** Hidden files: uploads, half-written ones, holds. */
function residue(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !path.startsWith('postgres') && /(^|\/)\./.test(path))
}

export async function checkpoints({ writes, every = 1 }: Tries): Promise<Outcome> {
  const root = fs.mkdtempSync(join(tmpdir(), 'hone-disks-'))
  await makeSmallFiles(root)
  const engine = createEmbeddedEngine()
  const model = await engine.load({ from: { weights: join(root, 'model') }, trains: 'all' })
  const folder = join(root, 'run')
  const record = { recipe: 'sft', hone: '0', status: 'running', inputs: {}, outputs: {}, simulated: false } as const
  const run = await createRun(folder, { config: {}, record })
  const failures: string[] = []
  const save = (step: number): Promise<unknown> =>
    run.checkpoint({ step, reason: 'due', models: ['model'], state: { step } }, (_, to) =>
      engine.save(model, 'resume', to),
    )
  await save(1)
  let [step, calls] = [1, 0]
  for (const code of CODES)
    for (let n = 1; n <= writes; n += every) {
      const failing: Failing = failCall(root, { n, code, except: '/none' })
      const error = await save(step + 1)
        .then(
          () => undefined,
          (e: unknown) => e,
        )
        .finally(() => failing.stop())
      if (!failing.hasRefused()) {
        compare(failures, 'a save without a failure', error, undefined)
        step++
        break
      }
      calls++
      if (!(error instanceof DataError && WORDS.test(error.message)))
        failures.push(`checkpoint, call ${n} ${code}: ${String(error)}`)
      compare(failures, `checkpoint, call ${n} ${code}: newest`, checkpointSteps(folder).at(-1), step)
      compare(failures, `checkpoint, call ${n} ${code}: what lies about`, residue(folder).length, 1)
      readCheckpoint(folder, step)
      step++
      await save(step)
      readCheckpoint(folder, step)
      for (const old of checkpointSteps(folder).slice(0, -1))
        fs.rmSync(join(folder, 'checkpoints', String(old).padStart(6, '0')), { recursive: true })
    }
  run.close()
  await engine.release(model)
  fs.rmSync(root, { recursive: true })
  return {
    figures: [`checkpoints: refused at each of ${calls} calls; the one before opens, the next is saved`],
    failures,
  }
}

const ERRNO = { EIO: 5, ENOSPC: 28 } as const

export async function submits({ writes }: Pick<Tries, 'writes'>): Promise<Outcome> {
  const postgres = await failingPostgres()
  const harness = await openHarness({ databaseUrl: postgres.url })
  const owner = await setUp(harness)
  const person = await harness.join('desk', 'annotator', owner)
  const failures: string[] = []
  const path = await manyPairs(owner, 60 * writes)
  await person.ask(`PUT ${path}/guideline-read`)
  const acknowledged: string[] = []
  const statuses = new Map<number, number>()
  let [fired, slowest] = [0, 0]
  for (let n = 1; n <= writes; n++) {
    const code = CODES[n % 2]!
    // A full disk refuses until there is room; a broken one does so once.
    postgres.fail({ after: n - 1, errno: ERRNO[code], lasts: code === 'ENOSPC' })
    for (let sent = 0; postgres.refused() === 0 && sent < 4 * writes; sent++) {
      const failed = await judge(person, path, acknowledged)
      if (failed === undefined) continue
      statuses.set(failed.status, (statuses.get(failed.status) ?? 0) + 1)
      if (![503, 507].includes(failed.status))
        failures.push(`submit, write ${n} ${code}: ${failed.status} ${failed.text}`)
      break
    }
    if (postgres.refused() > 0) fired++
    postgres.heal()
    const began = performance.now()
    // The answer that was under way is sent again with its key.
    while ((await judge(person, path, acknowledged)) !== undefined) {
      if (performance.now() - began > 60_000) throw new Error(`not recovered a minute after write ${n}`)
      await sleep(20)
    }
    slowest = Math.max(slowest, performance.now() - began)
  }
  const rows = await harness.store.query<{ key: string; n: number }>(
    "select key, count(*)::int as n from judgements where state = 'current' group by key",
  )
  const keys = new Set(rows.map(({ key }) => key))
  compare(failures, 'acknowledged and lost', acknowledged.filter((key) => !keys.has(key)).length, 0)
  compare(failures, 'answers', rows.length, acknowledged.length)
  compare(failures, 'defects', [...new Set(harness.defects.map(String))], [])
  pending.clear()
  await harness.close()
  await postgres.close()
  const told = [...statuses].map(([status, count]) => `${status} ${count} times`).join(', ')
  const figure = `submits: ${writes} failures set, ${fired} met, the client told ${told}; ${acknowledged.length} acknowledged, none lost; longest way back ${(slowest / 1000).toFixed(1)} s`
  return { figures: [figure], failures }
}

type Failed = { status: number; text: string }
/** Of each person, the answer that has not been acknowledged. */
const pending = new Map<Person, { item: string; body: { key: string } }>()

/** Claims and answers one pair; undefined: acknowledged. */
async function judge(person: Person, path: string, acknowledged: string[]): Promise<Failed | undefined> {
  let mine = pending.get(person)
  if (!mine) {
    const claimed = await person.ask(`POST ${path}/claim`)
    if (claimed.status !== 200) return claimed
    const { task } = claimed.json as { task: { id: string } | null }
    if (!task) throw new Error('expected a pair more, got none')
    mine = {
      item: task.id,
      body: { key: randomUUID(), choice: 'tie', reason: '', activeSeconds: 1 } as { key: string },
    }
    pending.set(person, mine)
  }
  const answer = await person.ask(`POST ${path}/items/${mine.item}/judgement`, mine.body)
  if (answer.status !== 200) return answer
  acknowledged.push(mine.body.key)
  pending.delete(person)
  return undefined
}

async function manyPairs(owner: Person, items: number): Promise<string> {
  const rows = Array.from({ length: items }, (_, i) => ({ item: `pair-${i}`, prompt: 'Q', a: 'a', b: 'b' }))
  const file = new TextEncoder().encode(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await owner.ask('POST /api/projects/desk/datasets/pairs?kind=comparisons', file)
  const made = await owner.ask('POST /api/projects/desk/campaigns', {
    name: 'x',
    dataset: 'pairs',
    overlap: 1,
    seed: 1,
  })
  return `/api/projects/desk/campaigns/${(made.json as { id: string }).id}`
}
