// hone's side of the race against TRL, in a process of its own: node --import tsx bench/peers/hone-recipe.ts WORK.json
import { readFileSync } from 'node:fs'
import { type Recipe, reward, sft } from '#align'
import type { Engine } from '#engine/contract'
import { createEmbeddedEngine } from '#lm'
import { RewardConfig, SftConfig } from '#schema'
import { describe } from '#torch'
import type { RecipeAnswer, RecipeWork } from './recipe-work.ts'

const work = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as RecipeWork
const { what, batchSize } = work
const embedded = createEmbeddedEngine({ threads: work.threads })
/** Of all sequences trained on, prompts included, as the other side counts. */
let tokens = 0
const engine: Engine = {
  ...embedded,
  forwardBackward(model, groups, ...rest) {
    for (const group of groups) for (const sequence of group) tokens += sequence.tokens.length
    return embedded.forwardBackward(model, groups, ...rest)
  },
}
const model = await engine.load({
  from: { weights: work.model },
  trains: work.isLora ? { rank: 16, alpha: 32, targets: ['all-linear'] } : 'all',
  ...(what === 'reward' && { heads: { scores: { names: ['reward'], read: 'last' as const } } }),
})
const rows = work.rows.map(({ prompt, completion, rejected }) => ({
  prompt: Int32Array.from(prompt),
  completion: Int32Array.from(completion),
  rejected: Int32Array.from(rejected),
}))
const settings = { seed: 1, epochs: 1, batchSize, learningRate: 1e-5, evalEvery: 1_000_000, checkpointEvery: 1_000_000 }

/** Reward models are centred on reference completions after their last step, which is not raced. */
function start(): Recipe {
  if (what === 'sft')
    return sft({ engine, model, config: SftConfig.parse(settings), examples: rows, heldOut: rows.slice(0, batchSize) })
  const pairs = rows.map(({ prompt, completion, rejected }) => ({
    prompt,
    a: completion,
    b: rejected,
    probability: 1,
    weight: 1,
  }))
  return reward({ engine, model, config: RewardConfig.parse(settings), pairs, reference: rows.slice(0, 2) })
}

let firstLoss: number | undefined
let from: { time: number; cpu: NodeJS.CpuUsage; tokens: number } | undefined
let ended: { seconds: number; cpuSeconds: number } | undefined
let done = 0
const recipe = start()
for (let next = await recipe.next(); !next.done; next = await recipe.next(undefined)) {
  const event = next.value
  if (event.kind !== 'step') continue
  if (event.step === 0) firstLoss = event.metrics.heldOutLoss
  else if (!from) from = { time: performance.now(), cpu: process.cpuUsage(), tokens }
  else if (event.step < event.of || what === 'sft') {
    done = what === 'sft' ? tokens - from.tokens : done + batchSize
    const { user, system } = process.cpuUsage(from.cpu)
    ended = { seconds: (performance.now() - from.time) / 1000, cpuSeconds: (user + system) / 1e6 }
    if (event.step === event.of) break
  }
}
const answer: RecipeAnswer = {
  setting: 'packed, one pass',
  version: `libtorch ${describe().version}`,
  perSecond: done / ended!.seconds,
  perCpuSecond: done / ended!.cpuSeconds,
  peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
  ...(firstLoss !== undefined && { firstLoss }),
}
console.log(JSON.stringify(answer))
