// Everything a training run reads, at its smallest: a random model of some ten thousand parameters, its tokenizer, a random
// reward model, rows of each kind, and the job of each recipe over them. For tests and trials of runs as files.
import fs from 'node:fs'
import { join } from 'node:path'
import { canonicalJson, MANIFEST, sha256, sha256File } from '#files'
import { createEmbeddedEngine, createFolder } from '#lm'
import { DpoConfig, PpoConfig, RewardConfig, SftConfig } from '#schema'
import { generator } from '#stats'
import { trainBpe } from '#text'
import { checkpointSteps, type Job, type TextJudge, ticketRefusalOf } from '#trainer'

export const RECIPES = ['sft', 'reward', 'dpo', 'ppo'] as const
export type RecipeName = (typeof RECIPES)[number]

const COLOURS = ['red', 'green', 'blue', 'white', 'black', 'amber']
const THINGS = ['lamp', 'chair', 'table', 'kettle', 'mirror', 'shelf']

/** Writes models and rows into `folder`; the same seed gives the same bytes. */
export async function makeSmallFiles(folder: string, seed = 1): Promise<void> {
  const random = generator(seed)
  const rows = Array.from({ length: 24 }, () => {
    const [colour, thing] = [random.pick(COLOURS), random.pick(THINGS)]
    return { prompt: `What is the colour of the ${thing}? `, completion: `The ${thing} is ${colour}.` }
  })
  const write = (name: string, of: object[]) =>
    fs.writeFileSync(join(folder, `${name}.jsonl`), of.map((row) => `${JSON.stringify(row)}\n`).join(''))
  write('demonstrations', rows)
  write('held-out', rows.slice(0, 4))
  const pair = ({ prompt, completion }: (typeof rows)[number]) => ({
    prompt,
    chosen: completion,
    rejected: `${random.pick(COLOURS)}, ${random.pick(COLOURS)}`,
  })
  write('pairs', rows.map(pair))
  const prompts = rows.map(({ prompt }, i) => ({ prompt: `${i}: ${prompt}` }))
  write('prompts', prompts.slice(0, 12))
  write('mark-prompts', prompts.slice(12))
  write('watched', prompts.slice(0, 2))
  fs.writeFileSync(
    join(folder, 'rules.json'),
    JSON.stringify([{ name: 'length', weight: 1, kind: 'length', least: 12, most: 24 }]),
  )
  const texts = rows.flatMap(({ prompt, completion }) => [prompt, completion])
  const files = trainBpe({ texts, vocabSize: 300, specials: { pad: '<pad>', eos: '<end>' } })
  const { model } = JSON.parse(files['tokenizer.json']) as { model: { vocab: object } }
  createFolder({
    config: {
      architecture: 'LlamaForCausalLM',
      vocabSize: Object.keys(model.vocab).length,
      hiddenSize: 32,
      intermediateSize: 64,
      layers: 2,
      heads: 2,
      keyValueHeads: 1,
      headDim: 16,
      rmsNormEps: 1e-5,
      ropeTheta: 10000,
      tieWordEmbeddings: true,
      maxPositionEmbeddings: 128,
      padTokenId: 0,
      eosTokenIds: [1],
      dtype: 'float32',
    },
    seed,
    to: join(folder, 'model'),
    extraFiles: files,
  })
  const engine = createEmbeddedEngine()
  const reward = await engine.load({
    from: { weights: join(folder, 'model') },
    trains: 'nothing',
    heads: { scores: { names: ['reward'], read: 'last' } },
    seed,
  })
  await engine.save(reward, 'weights', join(folder, 'reward'))
  await engine.release(reward)
}

/** The job of a recipe over what `makeSmallFiles` wrote. PPO has a learned and a rule term, and marks every few steps. */
export function smallJob(recipe: RecipeName, files: string, o: { steps: number; checkpointEvery: number }): Job {
  const at = (name: string) => join(files, name)
  const common = { device: 'cpu', model: at('model') }
  const supervised = { ...o, warmupSteps: 2, batchSize: 4, evalEvery: 3, learningRate: 3e-3 }
  const pairs = { data: at('pairs.jsonl'), heldOut: at('pairs.jsonl') }
  const watching = { samplesEvery: 2, samplesMaxTokens: 8 }
  const watch = at('watched.jsonl')
  switch (recipe) {
    case 'sft':
      return {
        ...common,
        recipe,
        config: SftConfig.parse({ ...supervised, ...watching }),
        data: at('demonstrations.jsonl'),
        heldOut: at('held-out.jsonl'),
        watch,
      }
    case 'reward':
      return { ...common, ...pairs, recipe, config: RewardConfig.parse(supervised), read: 'last' }
    case 'dpo':
      return { ...common, ...pairs, recipe, config: DpoConfig.parse({ ...supervised, ...watching }), watch }
    case 'ppo':
      return {
        ...common,
        recipe,
        config: PpoConfig.parse({
          ...o,
          warmupSteps: 1,
          criticWarmupSteps: 1,
          promptsPerStep: 4,
          maxTokens: 8,
          learningRate: 3e-3,
          klBudget: 'off',
          // Some marks in a run, whatever its length.
          markEvery: o.steps / 600,
          markPairs: 4,
          samplesEvery: 2,
        }),
        reference: at('model'),
        reward: at('reward'),
        withoutTicket: true,
        rewardWeight: 1,
        criticFrom: 'reward',
        data: at('prompts.jsonl'),
        markData: at('mark-prompts.jsonl'),
        watch,
        rules: at('rules.json'),
        judge: 'longer',
      }
    default:
      return recipe satisfies never
  }
}

/** The job with a reward model that may have its ticket or not: it says so where not. */
export function admitted(job: Job): Job {
  if (job.recipe !== 'ppo') return job
  const { withoutTicket: _, ...rest } = job
  const isWithout = job.reward !== undefined && ticketRefusalOf(job.reward) !== undefined
  return isWithout ? { ...rest, withoutTicket: true } : rest
}

/** A judge without secrets: the longer completion is the better one. */
export const preferLonger: TextJudge = async (pairs) =>
  pairs.map(({ item, prompt, a: left, b: right }) => {
    const choice = left.length > right.length ? 'left' : left.length < right.length ? 'right' : 'tie'
    return {
      probability: { left: 0.9, right: 0.1, tie: 0.5 }[choice],
      judgements: [{ item, annotator: 'longer', prompt, left, right, choice, simulated: true }],
    }
  })

/** Hashes of what must not depend on interruptions: the final weights, the last checkpoint (weights, moments, recipe state, lengths of logs), metrics, samples, and the judgements of marks. */
export function hashesOf(run: string): Record<string, string> {
  const last = join('checkpoints', String(checkpointSteps(run).at(-1)).padStart(6, '0'))
  const under = (folder: string) =>
    fs
      .readdirSync(join(run, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== MANIFEST)
      .map((entry) => join(entry.parentPath, entry.name).slice(run.length + 1))
  const marks = fs.existsSync(join(run, 'marks')) ? under('marks') : []
  return Object.fromEntries(
    ['metrics.jsonl', 'samples.jsonl', ...marks, ...under('model'), ...under(last)].sort().map((path) => {
      const file = join(run, path)
      return [path, path.endsWith('/checkpoint.json') ? sha256(withoutReason(file)) : sha256File(file)]
    }),
  )
}

/** Why it was taken is all that may differ: asked for by whoever stopped the run, or due anyway. */
function withoutReason(file: string): string {
  const { reason: _, ...rest } = JSON.parse(fs.readFileSync(file, 'utf8')) as { reason: string }
  return canonicalJson(rest)
}
