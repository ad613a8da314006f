// npm run trials -- reward-labels FOLDER: does the reward model read judgements and nothing else? In a finished quickstart
// it is trained again on the same pairs with their labels permuted, and with a fifth of them turned round; accuracy is
// against the simulated gold on the held-out pairs. Permuted must hold 0.5 in its interval, flipped must lie below intact.
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scoresOf } from '#align'
import type { Preference } from '#schema'
import { generator, wilson } from '#stats'
import { train } from '#trainer'
import { readIdentity } from '../src/cli/quickstart/identity.ts'
import { quickstartPlan } from '../src/cli/quickstart/plan.ts'
import { data, openStage, readJsonl, run, withWeights } from '../src/cli/quickstart/stage.ts'

const [dir] = process.argv.slice(2)
if (dir === undefined) throw new Error('expected the folder of a finished quickstart')
const { seed, scale } = readIdentity(dir)
const stage = await openStage({ dir, seed, plan: quickstartPlan({ seed, scale }), domain: 'customer-service' })
const pairs = readJsonl<Preference>(data(stage, 'preferences-pairs'))
const heldOut = readJsonl<Preference>(data(stage, 'preferences-pairs-held-out'))
const draw = generator(seed)
const shuffled = draw.shuffle(pairs.map((p) => p.probability))
const labels: Record<string, (p: Preference, i: number) => number> = {
  intact: (p) => p.probability,
  permuted: (_, i) => shuffled[i]!,
  'a fifth flipped': (p) => (draw.uniform() < 0.2 ? 1 - p.probability : p.probability),
}
const folder = mkdtempSync(join(tmpdir(), 'hone-labels-'))
for (const [name, label] of Object.entries(labels)) {
  const file = join(folder, `${name}.jsonl`)
  writeFileSync(file, pairs.map((p, i) => `${JSON.stringify({ ...p, probability: label(p, i) })}\n`).join(''))
  const { model } = await train(
    {
      recipe: 'reward',
      config: stage.settings.reward,
      device: 'cpu',
      model: `${run(stage, 'sft')}/model`,
      data: file,
      read: 'sum',
    },
    join(folder, name),
    { hone: 'trial' },
  )
  const scores = await withWeights(stage, model, async (m) => {
    const of = (side: 'a' | 'b') =>
      scoresOf(
        stage.engine,
        m,
        heldOut.map((p) => ({
          prompt: stage.tokenizer.encodePrompt(p.prompt as string),
          completion: Int32Array.from([...stage.tokenizer.encode(p[side]), stage.tokenizer.eosId]),
        })),
      )
    return { a: await of('a'), b: await of('b') }
  })
  const gold = (p: Preference, side: 'a' | 'b') => stage.domain.gold.read(p.prompt as string, p[side]).score
  const right = heldOut.filter(
    (p, i) => Math.sign(scores.a[i]! - scores.b[i]!) === Math.sign(gold(p, 'a') - gold(p, 'b')),
  ).length
  const { value, low, high } = wilson(right, heldOut.length)
  console.log(
    `${name.padEnd(16)} accuracy ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}], n = ${heldOut.length}`,
  )
}
