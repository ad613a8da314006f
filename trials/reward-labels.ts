// npm run trials -- reward-labels FOLDER: does the reward model read judgements and nothing else? In a finished quickstart
// its judgements are aggregated again and it is trained again: as they were given, with the answers permuted among them (eight
// times), and with a fifth of them turned round. Accuracy is against the simulated gold on the held-out pairs. Exits 1 unless the
// interval of the permuted ones, over permutations, holds 0.5, and the interval of what turning costs lies below 0.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scoresOf } from '#align'
import { ConfigError } from '#errors'
import { aggregate } from '#feedback'
import type { Choice, Judgement, Preference } from '#schema'
import { generator, meanInterval, pairedRateChange, wilson } from '#stats'
import { train } from '#trainer'
import { readIdentity } from '../src/cli/quickstart/identity.ts'
import { quickstartPlan } from '../src/cli/quickstart/plan.ts'
import { qualifyCrowd } from '../src/cli/quickstart/protocol.ts'
import { data, openStage, readJsonl, run, withWeights } from '../src/cli/quickstart/stage.ts'

const TURNED = 0.2
/** One permutation is one model: what it prefers by accident it prefers on all held-out pairs, so pairs alone give no interval. */
const PERMUTATIONS = 8

const [dir] = process.argv.slice(2)
if (dir === undefined) throw new ConfigError('expected the folder of a finished quickstart')
const { seed, scale } = readIdentity(dir)
const stage = await openStage({ dir, seed, plan: quickstartPlan({ seed, scale }), domain: 'customer-service' })
const judgements = readJsonl<Judgement>(data(stage, 'judgements-pairs'))
const heldOut = readJsonl<Preference>(data(stage, 'preferences-pairs-held-out'))
const qualification = qualifyCrowd(stage)
const folder = mkdtempSync(join(tmpdir(), 'hone-labels-'))
try {
  process.exitCode = (await trial()) ? 0 : 1
} finally {
  rmSync(folder, { recursive: true })
}

async function trial(): Promise<boolean> {
  const draw = generator(seed)
  const intact = await rightOf('intact', judgements)
  const permuted: number[] = []
  for (let i = 1; i <= PERMUTATIONS; i++) {
    const others = draw.shuffle(judgements)
    const dealt = judgements.map((judgement, j) => answered(judgement, others[j]!))
    const right = await rightOf(`permuted ${i}`, dealt)
    permuted.push(countOf(right) / right.length)
  }
  const turned = await rightOf(
    'a fifth turned',
    judgements.map((judgement) => (draw.uniform() < TURNED ? turnedRound(judgement) : judgement)),
  )
  const { value, low, high } = meanInterval(permuted)
  const cost = pairedRateChange({
    onlyBefore: intact.filter((right, i) => right && !turned[i]).length,
    onlyAfter: turned.filter((right, i) => right && !intact[i]).length,
    n: heldOut.length,
  })
  const holds = { chance: low <= 0.5 && high >= 0.5, cost: cost.high < 0 }
  console.log(
    `permuted ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] over ${PERMUTATIONS} permutations holds 0.5: ${holds.chance ? 'yes' : 'no'}`,
  )
  console.log(
    `turning a fifth changes accuracy by ${cost.value.toFixed(3)} [${cost.low.toFixed(3)}, ${cost.high.toFixed(3)}], below 0: ${holds.cost ? 'yes' : 'no'}`,
  )
  return holds.chance && holds.cost
}

/** Of each held-out pair, whether a reward model of these judgements orders it as the simulated gold does. */
async function rightOf(name: string, judged: Judgement[]): Promise<boolean[]> {
  const { preferences, method } = aggregate({ judgements: judged, seed, qualification })
  const file = join(folder, `${name}.jsonl`)
  writeFileSync(file, preferences.map((row) => `${JSON.stringify(row)}\n`).join(''))
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
  const [a, b] = await withWeights(stage, model, async (m) => [
    await scoresOf(stage.engine, m, examplesOf('a')),
    await scoresOf(stage.engine, m, examplesOf('b')),
  ])
  const right = heldOut.map((p, i) => Math.sign(a![i]! - b![i]!) === Math.sign(goldOf(p, 'a') - goldOf(p, 'b')))
  const { value, low, high } = wilson(countOf(right), right.length)
  console.log(
    `${name.padEnd(14)} accuracy ${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}], n = ${right.length}; ${preferences.length} pairs by ${method}`,
  )
  return right
}

function examplesOf(side: 'a' | 'b'): { prompt: Int32Array; completion: Int32Array }[] {
  const { tokenizer } = stage
  return heldOut.map((p) => ({
    prompt: tokenizer.encodePrompt(p.prompt as string),
    completion: Int32Array.from([...tokenizer.encode(p[side]), tokenizer.eosId]),
  }))
}

function goldOf(pair: Preference, side: 'a' | 'b'): number {
  return stage.domain.gold.read(pair.prompt as string, pair[side]).score
}

/** The first judgement's question with the other's answer. */
function answered(judgement: Judgement, { choice, strength }: Judgement): Judgement {
  const { strength: _, ...asked } = judgement
  return { ...asked, choice, ...(strength !== undefined && { strength }) }
}

function turnedRound(judgement: Judgement): Judgement {
  const other: Partial<Record<Choice, Choice>> = { left: 'right', right: 'left' }
  return { ...judgement, choice: other[judgement.choice] ?? judgement.choice }
}

function countOf(right: boolean[]): number {
  return right.filter(Boolean).length
}
