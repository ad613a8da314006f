// Power cuts, SIMULATED (see power.ts), in the middle of imports and of a training run: whatever a cut leaves opens, and what
// was acknowledged before it is there, whole. A dataset version is acknowledged when its import answers, a checkpoint when the
// run says so; a run that was cut off goes on to the very bytes of one that was not.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findVersion, importVersion, listDatasets, listVersions, versionRows } from '#data'
import { hashFolder } from '#files'
import { generator } from '#stats'
import { checkpointSteps, readCheckpoint, resume, train } from '#trainer'
import { recordDisk } from '../worlds/power.ts'
import { hashesOf, makeSmallFiles, preferLonger, smallJob } from '../worlds/small-run.ts'
import type { Outcome } from './outcome.ts'

const STEPS = 8
const IMPORTS = 6
/** One in so many cuts is followed by the rest of the run. */
const RESUME_EVERY = 10
const OPTIONS = { hone: 'trial', judge: preferLonger, onProgress: () => {} }

export async function cuts({ cuts: count, seed }: { cuts: number; seed: number }): Promise<Outcome> {
  const root = fs.mkdtempSync(join(tmpdir(), 'hone-cuts-'))
  const files = join(root, 'files')
  fs.mkdirSync(files)
  await makeSmallFiles(files)
  const workspace = join(root, 'desk')
  fs.mkdirSync(workspace)
  fs.writeFileSync(join(workspace, 'hone.json'), '{}')
  const job = smallJob('sft', files, { steps: STEPS, checkpointEvery: 2 })
  const failures: string[] = []

  const record = recordDisk(workspace)
  try {
    for (let n = 1; n <= IMPORTS; n++) {
      const file = join(root, `questions-${n}.jsonl`)
      fs.writeFileSync(file, Array.from({ length: n }, (_, i) => `{"prompt":"Question ${n}.${i}?"}\n`).join(''))
      const { version } = await importVersion(workspace, file, { kind: 'prompts', name: n % 2 ? 'odd' : 'even' })
      record.acknowledge(`version ${version.name}@${version.version}`)
    }
    const run = join(workspace, 'runs', 'first')
    const onProgress = (event: { kind: string; step: number }): void => {
      if (event.kind === 'checkpoint') record.acknowledge(`checkpoint ${event.step}`)
    }
    await train(job, run, { ...OPTIONS, onProgress })
    record.acknowledge('model')
  } finally {
    record.stop()
  }
  const everything = join(root, 'everything')
  record.leave(record.events.length, everything)
  if (hashFolder(everything) !== hashFolder(workspace))
    failures.push('the record is not what the disk holds: the simulation misses calls')

  const random = generator(seed)
  const { begin } = record
  let [acknowledged, resumed] = [0, 0]
  for (let cut = 0; cut < count; cut++) {
    const moment = begin + Math.floor(((cut + random.uniform()) * (record.events.length - begin)) / count)
    const left = join(root, `cut-${cut}`)
    record.leave(moment, left, random)
    releaseHolds(left)
    const told = record.acknowledgedBefore(moment)
    acknowledged += told.length
    for (const lost of told.flatMap((what) => missing(left, what) ?? [])) failures.push(`cut at ${moment}: ${lost}`)
    failures.push(...unreadable(left).map((problem) => `cut at ${moment}: ${problem}`))
    if (cut % RESUME_EVERY === 0) {
      resumed++
      const run = join(left, 'runs', 'first')
      const problem = await goOn(left, { run, job }).catch((error: unknown) => String(error))
      if (problem !== undefined) failures.push(`cut at ${moment}: ${problem}`)
      else if (JSON.stringify(hashesOf(run)) !== JSON.stringify(hashesOf(join(workspace, 'runs', 'first'))))
        failures.push(`cut at ${moment}: the run went on to other bytes`)
    }
    fs.rmSync(left, { recursive: true })
  }
  fs.rmSync(root, { recursive: true })
  const figure = `SIMULATED: ${count} cuts among ${record.events.length - begin} changes of the disk: ${acknowledged} acknowledged things looked for, ${failures.length} complaints; ${resumed} workspaces imported again and trained on to the same bytes`
  return { figures: [figure], failures }
}

/** A cut ends every process, and a hold from before a restart is dead; here its process is the trial itself, which lives. */
function releaseHolds(folder: string): void {
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.name.startsWith('.hold-')) fs.rmSync(join(entry.parentPath, entry.name))
}

/** What was acknowledged and is not there, or is not whole. */
function missing(workspace: string, what: string): string | undefined {
  const [kind, name] = what.split(' ') as [string, string]
  const run = join(workspace, 'runs', 'first')
  try {
    if (kind === 'version') for (const _ of versionRows(workspace, findVersion(workspace, name)));
    // Older checkpoints are removed as newer ones come.
    else if (kind === 'checkpoint' && checkpointSteps(run).every((step) => step < Number(name)))
      throw new Error(`newest checkpoint ${checkpointSteps(run).at(-1)}`)
    else if (kind === 'model' && !fs.existsSync(join(run, 'model', 'model.safetensors'))) throw new Error('no weights')
    return undefined
  } catch (error) {
    return `${what} was acknowledged: ${String(error)}`
  }
}

/** What is there and does not open. */
function unreadable(workspace: string): string[] {
  const problems: string[] = []
  const opens = (what: string, open: () => void): void => {
    try {
      open()
    } catch (error) {
      problems.push(`${what} does not open: ${String(error)}`)
    }
  }
  for (const name of listDatasets(workspace))
    for (const version of listVersions(workspace, name))
      opens(`${name}@${version.version}`, () => {
        for (const _ of versionRows(workspace, version));
      })
  const run = join(workspace, 'runs', 'first')
  for (const step of checkpointSteps(run)) opens(`checkpoint ${step}`, () => readCheckpoint(run, step))
  return problems
}

/** As a user would: the same imports, the same run. */
async function goOn(
  workspace: string,
  { run, job }: { run: string; job: ReturnType<typeof smallJob> },
): Promise<undefined> {
  const file = join(workspace, '..', 'again.jsonl')
  fs.writeFileSync(file, '{"prompt":"Once more?"}\n')
  await importVersion(workspace, file, { kind: 'prompts', name: 'odd' })
  if (!fs.existsSync(join(run, 'run.json'))) await train(job, run, OPTIONS)
  else if (JSON.parse(fs.readFileSync(join(run, 'run.json'), 'utf8')).status !== 'done') await resume(run, OPTIONS)
}
