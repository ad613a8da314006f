// Finished runs with many steps, as files of a workspace.
import fs from 'node:fs'
import { join } from 'node:path'

export const METRICS = 24

export function writeLongRuns(workspace: string, { runs, steps }: { runs: number; steps: number }): void {
  for (let run = 0; run < runs; run++) {
    const folder = join(workspace, 'runs', `run-${run}`)
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(join(folder, 'config.json'), JSON.stringify({ recipe: 'ppo', config: { steps } }))
    fs.writeFileSync(join(folder, 'run.json'), JSON.stringify({ recipe: 'ppo', status: 'done', simulated: false }))
    const rows = Array.from({ length: steps }, (_, step) => {
      const metrics = Array.from({ length: METRICS }, (__, m) => [
        m === 0 ? 'loss' : `metric${m}`,
        Math.sin(step / (m + 7)) + run,
      ])
      return JSON.stringify({ step: step + 1, ...Object.fromEntries(metrics) })
    })
    fs.writeFileSync(join(folder, 'metrics.jsonl'), `${rows.join('\n')}\n`)
    const at = (step: number): string => new Date(1_700_000_000_000 + step * 1000).toISOString()
    fs.writeFileSync(join(folder, 'clock.jsonl'), rows.map((_, i) => `{"step":${i + 1},"at":"${at(i)}"}\n`).join(''))
  }
}
