// What a run page asks of the server, with 20 runs of 10,000 steps in the workspace: the list, then the curves of each run
// for the first time (its file is parsed) and again (only what was added is).
// npm run bench -- run-page [runs 20] [steps 10000]
import { openHarness, setUp } from '../src/server/harness.test-data.ts'
import { METRICS, writeLongRuns } from './worlds/long-runs.ts'

const [runs = '20', steps = '10000'] = process.argv.slice(2)
const harness = await openHarness()
const owner = await setUp(harness)
writeLongRuns(harness.workspace, { runs: Number(runs), steps: Number(steps) })
const ask = async (path: string): Promise<{ milliseconds: number; bytes: number }> => {
  const began = performance.now()
  const { status, text } = await owner.ask(`GET /api/projects/desk/${path}`)
  if (status !== 200) throw new Error(`${path}: ${status} ${text}`)
  return { milliseconds: performance.now() - began, bytes: text.length }
}
const list = await ask('runs')
const first = await ask('runs/run-0/curves?points=800')
const again = await ask('runs/run-0/curves?points=800')
const all = []
for (let run = 0; run < Number(runs); run++) all.push((await ask(`runs/run-${run}/curves?points=800`)).milliseconds)
const worst = Math.max(...all)
console.log(`${runs} runs of ${steps} steps, ${METRICS} metrics each`)
console.log(
  `list ${list.milliseconds.toFixed(0)} ms; curves of a run ${first.milliseconds.toFixed(0)} ms at first, ${again.milliseconds.toFixed(0)} ms again (${(again.bytes / 1024).toFixed(0)} KiB); slowest of all ${worst.toFixed(0)} ms`,
)
await harness.close()
