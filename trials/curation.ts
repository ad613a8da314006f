// npm run trials -- curation [SEED ...]: what curation is worth. SFT on the demonstrations as the simulated experts wrote
// them, faults included, against SFT on those that the check kept; seeds 1 to 4 unless given. Held-out loss, and the
// share of replies to refund and billing prompts that break the hard constraint.
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeRows } from '#data'
import type { Demonstration } from '#schema'
import { clopperPearson } from '#stats'
import { train } from '#trainer'
import { curate, defineObjective } from '../src/cli/quickstart/demonstrations.ts'
import { quickstartPlan } from '../src/cli/quickstart/plan.ts'
import { data, openStage, readJsonl, replies, withWeights } from '../src/cli/quickstart/stage.ts'

const PROMPTS = 1000
const seeds = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [1, 2, 3, 4]
/** By seed, as written and curated. */
const found: { loss: number; violations: number }[][] = []

for (const seed of seeds) {
  const stage = await openStage({
    dir: mkdtempSync(join(tmpdir(), `hone-curation-${seed}-`)),
    seed,
    plan: quickstartPlan({ seed, scale: 1 }),
    domain: 'customer-service',
  })
  await defineObjective(stage)
  mkdirSync(join(stage.dir, 'data'), { recursive: true })
  const { rows, setAside } = await curate(stage)
  console.log(`seed ${seed}: ${rows} rows kept, ${setAside} set aside`)
  const prompts = stage.domain
    .prompts(seed, { n: PROMPTS, split: 'violations', mix: 'refund-billing' })
    .map((p) => p.prompt)
  // Blank completions cannot be imported at all; everything else that the experts got wrong stays in.
  const written = readJsonl<Demonstration>(data(stage, 'demonstrations-raw')).filter(
    (row) => row.completion.trim() !== '',
  )
  writeRows(data(stage, 'as-written'), written, { kind: 'demonstrations', format: 'jsonl' })
  const pair: (typeof found)[number] = []
  for (const which of ['as-written', 'demonstrations']) {
    const out = join(stage.dir, which)
    const { model, outcome } = await train(
      {
        recipe: 'sft',
        config: stage.settings.sft,
        device: 'cpu',
        model: stage.base,
        data: data(stage, which),
        heldOut: data(stage, 'held-out'),
        replay: data(stage, 'replay'),
      },
      out,
      { hone: 'trial' },
    )
    const samples = await withWeights(stage, model, (m) => replies(stage, m, prompts, 'curation'))
    const broken = samples.filter(({ prompt, completion }) =>
      stage.domain.simulatedViolation(prompt, completion),
    ).length
    const { value, low, high } = clopperPearson(broken, samples.length)
    pair.push({ loss: outcome.metrics.heldOutLoss!, violations: value })
    console.log(
      `  ${which.padEnd(24)} held-out loss ${outcome.metrics.heldOutLoss!.toFixed(4)}  violations ${(100 * value).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}], n = ${samples.length}`,
    )
  }
  found.push(pair)
}
const gains = (of: (x: (typeof found)[number][number]) => number) => found.map(([raw, kept]) => of(raw!) - of(kept!))
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
const [losses, violations] = [gains((x) => x.loss), gains((x) => 100 * x.violations)]
console.log(
  `as written less curated, mean of ${seeds.length} seeds: held-out loss ${mean(losses).toFixed(4)} (${losses.filter((x) => x > 0).length} seeds above 0), violations ${mean(violations).toFixed(1)} points (${violations.filter((x) => x > 0).length} seeds above 0)`,
)
process.exit(mean(violations) > 0 ? 0 : 1)
