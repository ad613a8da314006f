// The quickstart as people run it, far smaller: killed in the middle, gone on with by the same command, and its report
// held to what every report promises. Its figures prove nothing; `npm run trials -- quickstart` holds those of the whole.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { Browser } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { hashRow } from '#files'
import { Report, STEPS } from '#schema'
import { complaints, hasBrowser, launchChromium, looksRight, somebody } from './browser.ts'
import { EMPTY_COLUMNS } from './report-page.ts'

const HONE = resolve(import.meta.dirname, '../scripts/hone.mjs')
/** Three processes, one after the other, on a machine with other work. */
const PATIENCE_MS = 1_800_000
/** PPO has written a checkpoint by then, and a second process is at work beside it. */
const KILL_AT_STEP = 3

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-quickstart-'))
const dir = join(folder, 'it')
const children = new Set<ChildProcess>()
let browser: Browser | undefined
afterAll(async () => {
  await browser?.close()
  // Of a test that ran out of patience.
  for (const child of children) child.kill('SIGKILL')
  fs.rmSync(folder, { recursive: true, force: true })
})

type Event = { event: string; step?: string | number }

/** Runs the command to its end, or until `isTime` says of an event that it is time to kill it. */
async function quickstart({ seed = 1, scale = 0.01 }, isTime: (event: Event) => boolean = () => false) {
  const options = ['--dir', dir, '--seed', String(seed), '--scale', String(scale), '--json']
  const child = spawn(process.execPath, [HONE, 'quickstart', ...options], { stdio: ['ignore', 'pipe', 'pipe'] })
  children.add(child)
  const events: Event[] = []
  let words = ''
  child.stderr.on('data', (piece: Buffer) => (words += piece.toString()))
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as Event
    events.push(event)
    if (isTime(event)) child.kill('SIGKILL')
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  children.delete(child)
  return { code, signal, words, events, steps: events.filter((e) => e.event === 'step').map((e) => e.step) }
}

test(
  'killed in the middle, it goes on to a whole report by the same command; another seed or scale is refused',
  async () => {
    let isInRl = false
    const killed = await quickstart({}, ({ event, step }) => {
      isInRl ||= event === 'begin' && step === 'rl'
      return isInRl && event === 'step' && step === KILL_AT_STEP
    })
    expect(killed, killed.words).toMatchObject({ signal: 'SIGKILL' })
    expect(fs.existsSync(join(dir, 'report.json'))).toBe(false)

    const resumed = await quickstart({})
    expect(resumed, resumed.words).toMatchObject({ code: 0 })
    expect(resumed.events.filter((e) => e.event === 'begin').map((e) => e.step)).toEqual(STEPS)
    // SFT and the reward model were done; PPO goes on from its checkpoint.
    expect(resumed.steps[0]).toBe(KILL_AT_STEP)
    expect(resumed.words).toContain('goes on all the same: at scale 0.01')
    expect(resumed.words).toContain('none of these figures proves anything')

    const report = Report.parse(JSON.parse(fs.readFileSync(join(dir, 'report.json'), 'utf8')))
    expect(report.steps).toEqual(STEPS.map((step) => ({ step, state: 'done' })))
    for (const step of STEPS) expect(report[step], step).toBeDefined()
    expect(report).toMatchObject({ scale: 0.01, simulated: true, world: { seed: 1 } })
    expect(report.command).toContain('--scale 0.01')
    expectLineage(report)
    expectOneObjective(report)
    expect(report.pastGates!.join()).toContain('It went on: at scale 0.01')
    const { accuracy } = JSON.parse(fs.readFileSync(join(dir, 'runs/reward/model/hone-training.json'), 'utf8'))
      .reward as {
      accuracy?: { low: number }
    }
    const { withoutTicket = false } = JSON.parse(fs.readFileSync(join(dir, 'runs/ppo/config.json'), 'utf8')) as {
      withoutTicket?: boolean
    }
    expect(withoutTicket).toBe(!(accuracy && accuracy.low > 0.5))
    expectMeasured(report)

    const page = fs.readFileSync(join(dir, 'report.html'), 'utf8')
    expect(page).toContain('The annotators are simulated')
    expect(page).toContain('its figures prove nothing')
    expect(page).toContain('Past failed gates.')
    expect(page).toMatch(/Content-Security-Policy" content="default-src &#39;none&#39;/)
    expect(page.match(/\s(?:src|srcset|href|action|data)="(?!#)[^"]*"|url\(|@import|<link|<iframe/g) ?? []).toEqual([])

    const others = await Promise.all([quickstart({ seed: 2 }), quickstart({ scale: 0.02 })])
    expect(others.map(({ code }) => code)).toEqual([1, 1])
    expect(others[0]!.words).toContain('holds a quickstart of seed 1')
    expect(others[1]!.words).toContain('holds a quickstart of scale 0.01')
  },
  PATIENCE_MS,
)

test('its page looks right in a browser, asks for nothing, leaves no column empty, and prints', async (ctx) => {
  hasBrowser(ctx)
  browser = await launchChromium()
  const { context, page } = await somebody(browser)
  const requests: string[] = []
  context.on('request', (request) => requests.push(request.url()))
  const url = pathToFileURL(join(dir, 'report.html')).href
  await page.goto(url)
  expect(await page.evaluate(EMPTY_COLUMNS)).toEqual([])
  await looksRight(page, 'quickstart-report')
  const pdf = await page.pdf({ format: 'A4' })
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  expect(requests).toEqual([url])
  expect(complaints).toEqual([])
}, 240_000)

type Measured = { value: number; low: number; high: number; n?: number | undefined }

/** Every figure that the report can hold an interval of has one, and what a step or an annotator is said to be is filled. */
function expectMeasured({ sft, protocol, reward, rl }: Report): void {
  const { domain, general } = sft!.perplexity
  const onFixedPrompts = [
    rl!.intervals!.goldBefore,
    rl!.intervals!.goldAfter,
    ...rl!.unbudgeted!.points.flatMap((point) => [point.goldInterval, point.goldGain]),
  ]
  const measured: (Measured | undefined)[] = [
    sft!.intervals!.heldOutLoss,
    ...Object.values(domain.intervals!),
    ...Object.values(general.intervals!),
    reward!.intervals!.ece,
    reward!.intervals!.lengthSlope,
    reward!.longerPreferred!.reward,
    reward!.longerPreferred!.labels,
    ...reward!.probes!.flatMap(({ change, rose, gold }) => [change, rose, gold]),
    ...onFixedPrompts,
  ]
  expect(reward!.probes!.map(({ name }) => name)).toContain('repetition')
  for (const m of measured) {
    expect(m!.low).toBeLessThanOrEqual(m!.value)
    expect(m!.high).toBeGreaterThanOrEqual(m!.value)
    expect(m!.n).toBeGreaterThan(1)
  }
  for (const m of [sft!.intervals!.heldOutLoss, domain.intervals!.before, general.intervals!.after])
    expect(m.high).toBeGreaterThan(m.low)
  for (const m of onFixedPrompts) expect(m!.n).toBe(rl!.prompts)
  expect(general.intervals!.ratio.value).toBeCloseTo(general.after / general.before, 9)
  for (const { step, gold, goldInterval } of rl!.series!) {
    if (gold === undefined) continue
    expect(goldInterval!.value).toBeCloseTo(gold!, 9)
    expect(rl!.unbudgeted!.points.find((point) => point.step === step)!.gold).toBe(gold)
  }
  for (const { trueAccuracy } of protocol!.table!) {
    expect(trueAccuracy).toBeGreaterThan(0)
    expect(trueAccuracy).toBeLessThan(1)
  }
}

/** Every record names the objective of the report, and the page shows its first digits. */
function expectOneObjective({ objectives, lineage }: Report): void {
  const stamp = { id: hashRow(objectives![0]), name: objectives![0]!.name }
  const read = (file: string) => JSON.parse(fs.readFileSync(join(dir, file), 'utf8')) as Record<string, unknown>
  const runs = ['sft', 'reward', 'ppo', 'ppo-no-rules', 'ppo-unbudgeted'].map((name) => `runs/${name}`)
  const records = [
    ...runs.flatMap((run) => [`${run}/run.json`, `${run}/model/hone-training.json`]),
    'data/judgements-pairs.jsonl.made.json',
    'evaluation.json',
    'release.json',
  ]
  for (const file of records) {
    expect(read(file).objective, file).toMatchObject(stamp)
    expect(read(file), file).not.toHaveProperty('objectivesDiffer')
  }
  expect(lineage!.objectives).toMatchObject([{ id: stamp.id, made: { run: 3, evaluation: 1, release: 1 } }])
  expect(lineage!).not.toHaveProperty('objectivesDiffer')
  const page = fs.readFileSync(join(dir, 'report.html'), 'utf8')
  expect(page).toMatch(new RegExp(`Made under[^]*<span class="mono">${stamp.id.slice(0, 12)}</span>`))
}

/** From the release up to every kind of thing that it came from, one judgement included. */
function expectLineage({ lineage }: Report): void {
  const { nodes, edges } = lineage!
  const kindOf = new Map(nodes.map(({ id, kind }) => [id, kind]))
  const reached = new Set(nodes.filter(({ kind }) => kind === 'release').map(({ id }) => id))
  for (const id of reached) for (const edge of edges) if (edge.to === id) reached.add(edge.from)
  const kinds = [
    'evaluation',
    'model',
    'run',
    'dataset',
    'preference',
    'judgement',
    'guideline',
    'criterion',
    'objective',
  ]
  expect([...new Set([...reached].map((id) => kindOf.get(id)))]).toEqual(expect.arrayContaining(kinds))
  for (const { id } of nodes) expect(reached, id).toContain(id)
}
