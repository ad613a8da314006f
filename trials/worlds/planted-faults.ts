// SFT, pairs, reward model and PPO of one seed, healthy or with one fault of the kind that happens in practice, as run
// folders that `hone train` would leave: runs/sft, runs/reward, runs/ppo. A third of the quickstart's rows, no rule terms, so
// that what PPO gains is the reward model's doing. Everything but the fault is the same in all four folders of a seed.
import fs from 'node:fs'
import { join } from 'node:path'
import { CROWD } from '../../domains/customer-service/knobs.ts'
import { checkRows, writeRows } from '#data'
import type { Demonstration, Judgement } from '#schema'
import { PpoConfig, RewardConfig, SftConfig } from '#schema'
import { judgePairs, simulatedAnnotators } from '#simulate'
import { deriveSeed, generator } from '#stats'
import { ticketRefusalOf, train } from '#trainer'
import { simulatedJudge } from '../../src/cli/judges.ts'
import { quickstartPlan } from '../../src/cli/quickstart/plan.ts'
import { runOrResume } from '../../src/cli/run-or-resume.ts'
import { openStage, replies, run, type Stage, withWeights } from '../../src/cli/quickstart/stage.ts'

export const STAGES = ['sft', 'reward', 'rl'] as const
export type Planted = 'none' | (typeof STAGES)[number]

type Fault = {
  name: string
  /** Changes of the settings of its stage. */
  sft?: Partial<SftConfig>
  rl?: Partial<PpoConfig>
  /** Changes of what its stage reads. */
  demonstrations?: (rows: Demonstration[], seed: number) => Demonstration[]
  judgements?: (rows: Judgement[], seed: number) => Judgement[]
  crowd?: (seed: number) => ReturnType<typeof simulatedAnnotators>
}

/** Two of each stage: the first on odd seeds, the second on even ones. */
const FAULTS: Record<(typeof STAGES)[number], [Fault, Fault]> = {
  sft: [
    { name: 'learning rate 30 times too high', sft: { learningRate: 6e-2 } },
    { name: 'completions joined to other prompts', demonstrations: joinWrongly },
  ],
  reward: [
    { name: 'judgements joined to other pairs', judgements: permuteChoices },
    { name: '13 of 16 annotators are spammers', crowd: spammingCrowd },
  ],
  rl: [
    { name: 'learning rate 30 times too high', rl: { learningRate: 3e-3 } },
    {
      name: 'no price of KL, no budget, learning rate 3 times too high',
      rl: { learningRate: 3e-4, beta: 0, klBudget: 'off', steps: 14 },
    },
  ],
}
const HEALTHY: Fault = { name: 'none' }

const SIZES = { demonstrations: 1000, heldOut: 200, pairs: 600, heldOutPairs: 300, prompts: 1000 }
const OVERLAP = 3
const SFT = { epochs: 4, batchSize: 8, learningRate: 2e-3, evalEvery: 60, checkpointEvery: 1000 }
const REWARD = { epochs: 2, batchSize: 16, learningRate: 5e-4, headLearningRate: 5e-4, checkpointEvery: 1000 }
const PPO = { steps: 12, warmupSteps: 5, promptsPerStep: 24, klBudget: 4, markPairs: 150, checkpointEvery: 1000 }

export function faultOf(planted: Planted, seed: number): Fault {
  return planted === 'none' ? HEALTHY : FAULTS[planted][seed % 2 === 1 ? 0 : 1]
}

/** Runs what is not there yet; answers the folder to diagnose. Stages before the faulty one are the healthy folder's. */
export async function plant(planted: Planted, { seed, out }: { seed: number; out: string }): Promise<string> {
  const fault = faultOf(planted, seed)
  const base = await openStage({
    dir: join(out, `seed-${seed}`, planted),
    seed,
    plan: quickstartPlan({ seed, scale: 1 }),
    domain: 'customer-service',
  })
  const annotators = (of: number) => fault.crowd?.(of) ?? base.domain.annotators(of)
  const stage: Stage = { ...base, domain: { ...base.domain, annotators } }
  for (const name of ['data', 'runs']) fs.mkdirSync(join(stage.dir, name), { recursive: true })
  const healthy = join(out, `seed-${seed}`, 'none', 'runs')
  if (planted === 'reward' || planted === 'rl') borrow(healthy, stage, 'sft')
  else await fineTune(stage, fault)
  if (planted === 'rl') borrow(healthy, stage, 'reward')
  else await trainReward(stage, fault)
  await reinforce(stage, fault)
  return stage.dir
}

function borrow(healthy: string, stage: Stage, name: string): void {
  if (!fs.existsSync(run(stage, name))) fs.symlinkSync(fs.realpathSync(join(healthy, name)), run(stage, name))
}

async function fineTune(stage: Stage, fault: Fault): Promise<void> {
  const { seed, domain, base } = stage
  const heldOut = domain.heldOutDemonstrations(seed, SIZES.heldOut)
  const { kept } = checkRows(domain.demonstrations(seed, SIZES.demonstrations).rows, {
    kind: 'demonstrations',
    heldOut,
  })
  const write = (name: string, rows: Demonstration[]) =>
    once(stage, name, (file) =>
      writeRows(file, fault.demonstrations?.(rows, seed) ?? rows, { kind: 'demonstrations', format: 'jsonl' }),
    )
  await runOrResume(run(stage, 'sft'), OPTIONS, (o) =>
    train(
      {
        recipe: 'sft',
        config: SftConfig.parse({ seed, ...SFT, ...fault.sft }),
        device: 'cpu',
        model: base,
        data: write('demonstrations', kept as Demonstration[]),
        heldOut: write('held-out', heldOut),
      },
      run(stage, 'sft'),
      o,
    ),
  )
}

async function trainReward(stage: Stage, fault: Fault): Promise<void> {
  const { seed } = stage
  const judged = async (split: 'pairs' | 'pairs-held-out', n: number) => {
    const file = join(stage.dir, 'data', `${split}.jsonl`)
    if (!fs.existsSync(file)) {
      const rows = await judgements(stage, split, n)
      writeRows(file, fault.judgements?.(rows, seed) ?? rows, { kind: 'judgements', format: 'jsonl' })
    }
    return file
  }
  const data = await judged('pairs', SIZES.pairs)
  const heldOut = await judged('pairs-held-out', SIZES.heldOutPairs)
  await runOrResume(run(stage, 'reward'), OPTIONS, (o) =>
    train(
      {
        recipe: 'reward',
        config: RewardConfig.parse({ seed, ...REWARD }),
        device: 'cpu',
        model: `${run(stage, 'sft')}/model`,
        data,
        heldOut,
        read: 'sum',
      },
      run(stage, 'reward'),
      o,
    ),
  )
}

/** Two samples of SFT for each prompt, judged by three of the crowd. */
async function judgements(stage: Stage, split: 'pairs' | 'pairs-held-out', n: number): Promise<Judgement[]> {
  const { domain, seed } = stage
  const prompts = domain.prompts(seed, { n, split })
  const texts = prompts.map((p) => p.prompt)
  const [a, b] = await withWeights(stage, `${run(stage, 'sft')}/model`, async (model) => [
    await replies(stage, model, texts, `${split}-a`),
    await replies(stage, model, texts, `${split}-b`),
  ])
  const comparisons = prompts
    .map(({ id, prompt }, i) => ({ item: id, prompt, a: a![i]!.completion, b: b![i]!.completion }))
    .filter((c) => c.a !== c.b)
  return judgePairs(comparisons, {
    gold: domain.gold,
    annotators: domain.annotators(seed),
    overlap: OVERLAP,
    seed: deriveSeed(seed, 'judgements', split),
  })
}

async function reinforce(stage: Stage, fault: Fault): Promise<void> {
  const { seed, domain } = stage
  const sft = `${run(stage, 'sft')}/model`
  const reward = `${run(stage, 'reward')}/model`
  const prompts = (split: 'rl' | 'marks') =>
    once(stage, split, (file) =>
      writeRows(file, domain.prompts(seed, { n: SIZES.prompts, split }), { kind: 'prompts', format: 'jsonl' }),
    )
  const options = { ...OPTIONS, judge: await simulatedJudge(domain, { seed }) }
  await runOrResume(run(stage, 'ppo'), options, (o) =>
    train(
      {
        recipe: 'ppo',
        config: PpoConfig.parse({ seed, ...PPO, ...fault.rl }),
        device: 'cpu',
        model: sft,
        reference: sft,
        reward,
        // Some faults are in the reward model: RL must go through with it, for the diagnosis to tell.
        ...(ticketRefusalOf(reward) !== undefined && { withoutTicket: true }),
        rewardWeight: 1,
        criticFrom: 'reward',
        data: prompts('rl'),
        markData: prompts('marks'),
        judge: 'simulated:customer-service',
      },
      run(stage, 'ppo'),
      o,
    ),
  )
}

const OPTIONS = { hone: 'trial' }

function once(stage: Stage, name: string, write: (file: string) => unknown): string {
  const file = join(stage.dir, 'data', `${name}.jsonl`)
  if (!fs.existsSync(file)) write(file)
  return file
}

/** A join on a column that was sorted on one side only. */
function joinWrongly(rows: Demonstration[], seed: number): Demonstration[] {
  const completions = generator(deriveSeed(seed, 'join')).shuffle(rows.map((row) => row.completion))
  return rows.map((row, i) => ({ ...row, completion: completions[i]! }))
}

function permuteChoices(rows: Judgement[], seed: number): Judgement[] {
  const choices = generator(deriveSeed(seed, 'join', rows.length)).shuffle(rows.map((row) => row.choice))
  return rows.map((row, i) => ({ ...row, choice: choices[i]! }))
}

function spammingCrowd(seed: number): ReturnType<typeof simulatedAnnotators> {
  const { regular, leaning, spammer, adversary, ...rest } = CROWD
  return simulatedAnnotators(seed, {
    ...rest,
    regular: { ...regular, count: 3 },
    leaning: { ...leaning, count: 0 },
    spammer: { ...spammer, count: 13 },
    adversary: { ...adversary, count: 0 },
  })
}
