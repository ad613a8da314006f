// npm run trials -- reward-read FOLDER...: is a score better read after the last token, or summed over the completion's
// tokens? In each finished quickstart the reward model is trained again on the same pairs, both ways, at its rate and at a
// third and three times of it; accuracy is against the simulated gold on the held-out pairs. The sum stays an option while it
// wins: paired over all folders, each way at the rate that is best for it.
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scoresOf } from '#align'
import type { Preference } from '#schema'
import { bootstrapMean } from '#stats'
import { train } from '#trainer'
import { readIdentity } from '../src/cli/quickstart/identity.ts'
import { quickstartPlan } from '../src/cli/quickstart/plan.ts'
import { data, openStage, readJsonl, run, withWeights } from '../src/cli/quickstart/stage.ts'

const WAYS = ['last', 'sum'] as const
const RATES = [1 / 3, 1, 3]

const folders = process.argv.slice(2)
if (folders.length === 0) throw new Error('expected the folders of finished quickstarts')
const out = mkdtempSync(join(tmpdir(), 'hone-read-'))
/** By way and rate: of each held-out pair of each folder, whether the gold agrees; the folder is its cluster. */
const right = new Map<string, { value: number; folder: number }[]>()

for (const [folder, dir] of folders.entries()) {
  const { seed, scale } = readIdentity(dir)
  const stage = await openStage({ dir, seed, plan: quickstartPlan({ seed, scale }), domain: 'customer-service' })
  const heldOut = readJsonl<Preference>(data(stage, 'preferences-pairs-held-out'))
  const gold = heldOut.map(
    ({ prompt, a, b }) =>
      stage.domain.gold.read(prompt as string, a).score - stage.domain.gold.read(prompt as string, b).score,
  )
  const example = (prompt: string, completion: string) => ({
    prompt: stage.tokenizer.encodePrompt(prompt),
    completion: Int32Array.from([...stage.tokenizer.encode(completion), stage.tokenizer.eosId]),
  })
  for (const read of WAYS)
    for (const rate of RATES) {
      const config = { ...stage.settings.reward, learningRate: stage.settings.reward.learningRate * rate }
      const name = `${read} ${config.learningRate.toExponential(1)}`
      const { model } = await train(
        {
          recipe: 'reward',
          config,
          device: 'cpu',
          model: `${run(stage, 'sft')}/model`,
          data: data(stage, 'preferences-pairs'),
          heldOut: data(stage, 'preferences-pairs-held-out'),
          read,
        },
        join(out, `${folder} ${name}`),
        { hone: 'trial' },
      )
      const scores = await withWeights(stage, model, async (m) => {
        const of = (side: 'a' | 'b') =>
          scoresOf(
            stage.engine,
            m,
            heldOut.map((p) => example(p.prompt as string, p[side])),
          )
        return { a: await of('a'), b: await of('b') }
      })
      const rows = gold.map((distance, i) => ({
        value: Number(Math.sign(scores.a[i]! - scores.b[i]!) === Math.sign(distance)),
        folder,
      }))
      right.set(name, [...(right.get(name) ?? []), ...rows])
      console.log(`seed ${seed}  ${name.padEnd(14)} ${meanOf(rows).toFixed(3)}  n = ${rows.length}`)
    }
}

const meanFor = (name: string): number => meanOf(right.get(name)!)
const bestOf = (way: string): string =>
  [...right.keys()].filter((name) => name.startsWith(way)).reduce((a, b) => (meanFor(b) > meanFor(a) ? b : a))
const [last, sum] = WAYS.map(bestOf) as [string, string]
const [lastRows, sumRows] = [right.get(last)!, right.get(sum)!]
const gain = bootstrapMean(
  sumRows.map(({ value }, i) => value - lastRows[i]!.value),
  { seed: 1, clusters: sumRows.map(({ folder }) => String(folder)) },
)
for (const name of right.keys()) console.log(`${name.padEnd(14)} ${meanFor(name).toFixed(3)} over ${folders.length}`)
console.log(
  `${sum} over ${last}: ${gain.value.toFixed(3)} [${gain.low.toFixed(3)}, ${gain.high.toFixed(3)}], ${gain.n} folders`,
)
process.exit(gain.low > 0 ? 0 : 1)

function meanOf(rows: readonly { value: number }[]): number {
  return rows.reduce((total, { value }) => total + value, 0) / rows.length
}
