// Step 6: PPO under a KL budget, with rule terms beside the learned reward. At each mark simulated annotators judge fresh
// pairs. Beside it, as processes of their own: the same run without rules on half the budget, and the same run continued past its stop.
import fs from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type MarkResult, scoresOf } from '#align'
import type { Engine, Model } from '#engine/contract'
import { writeDurable } from '#files'
import type { PpoConfig, RlReport } from '#schema'
import { bootstrapMean, type Interval } from '#stats'
import {
  branch,
  checkpointSteps,
  type PpoJob,
  readCheckpoint,
  readRun,
  ticketRefusalOf,
  train,
  type Trained,
} from '#trainer'
import { simulatedJudge } from '../judges.ts'
import { qualifyCrowd } from './protocol.ts'
import { runOrResume } from '../run-or-resume.ts'
import { BUDGET_WITHOUT_RULES, RULE_WEIGHTS } from './settings.ts'
import {
  data,
  goldOf,
  mean,
  readJsonl,
  replies,
  type Reply,
  run,
  type Stage,
  trainOptions,
  withWeights,
} from './stage.ts'

const DOMAIN = fileURLToPath(new URL('../../../domains/customer-service', import.meta.url))

/** Means over the fixed prompts at one step, and gold prompt by prompt. */
export type Look = { step: number; proxy: number; gold: number; golds: number[] }
type Variant = 'ppo' | 'ppo-no-rules' | 'ppo-unbudgeted'

export async function reinforce(stage: Stage, variant: 'ppo' | 'ppo-no-rules'): Promise<Trained> {
  const { ppo } = stage.settings
  const job =
    variant === 'ppo'
      ? jobOf(stage, { rules: true, config: ppo })
      : jobOf(stage, { rules: false, config: { ...ppo, klBudget: BUDGET_WITHOUT_RULES } })
  const options = {
    ...trainOptions(stage),
    judge: await judgeOf(stage),
    ...(variant === 'ppo' && { watch: looker(stage, variant) }),
  }
  return runOrResume(run(stage, variant), options, (o) => train(job, run(stage, variant), o))
}

/** The budgeted run's last checkpoint, continued with the budget off. */
export async function continueUnbudgeted(stage: Stage): Promise<Trained> {
  const from = run(stage, 'ppo')
  const step = checkpointSteps(from).at(-1)!
  // Watched up to the first alarm: what comes after it is shown by the fixed prompts.
  const config = { ...stage.settings.ppo, klBudget: 'off', onAlarm: 'note' } as const
  const job = jobOf(stage, { rules: true, config })
  const options = { ...trainOptions(stage), judge: await judgeOf(stage), watch: looker(stage, 'ppo-unbudgeted') }
  return runOrResume(run(stage, 'ppo-unbudgeted'), options, (o) =>
    branch(from, { step, job, out: run(stage, 'ppo-unbudgeted') }, o),
  )
}

function jobOf(stage: Stage, { rules, config }: { rules: boolean; config: PpoConfig }): PpoJob {
  const sft = `${run(stage, 'sft')}/model`
  const reward = `${run(stage, 'reward')}/model`
  return {
    recipe: 'ppo',
    config,
    device: 'cpu',
    dtype: stage.dtype,
    model: sft,
    reference: sft,
    reward,
    // Only a plan that goes past failed gates comes here without one.
    ...(stage.pastGates !== undefined && ticketRefusalOf(reward) !== undefined && { withoutTicket: true }),
    rewardWeight: 1,
    criticFrom: stage.criticFrom,
    data: data(stage, 'rl-prompts'),
    watch: data(stage, 'watched-prompts'),
    ...(rules && { rules: writeRules(stage) }),
    markData: data(stage, 'mark-prompts'),
    judge: 'simulated:customer-service',
  }
}

/** The file of rule terms; written once, since running processes read the same file. */
export function writeRules({ dir }: Pick<Stage, 'dir'>): string {
  const terms = Object.entries(RULE_WEIGHTS).map(([name, weight]) => ({
    name,
    weight,
    kind: 'module',
    file: join(DOMAIN, 'rules', `${name}.ts`),
  }))
  const file = join(dir, 'rules.json')
  if (!fs.existsSync(file)) writeDurable(file, `${JSON.stringify(terms, null, 2)}\n`)
  return file
}

function judgeOf(stage: Stage) {
  return simulatedJudge(stage.domain, { seed: stage.seed, qualification: qualifyCrowd(stage) })
}

/** Looks at the fixed prompts every few steps; each look is a file, so that a resumed run looks only where it has not. */
function looker(
  stage: Stage,
  variant: Variant,
): (step: number, models: Record<string, Model>, engine: Engine) => Promise<void> {
  const folder = join(run(stage, variant), 'looks')
  return async (step, { policy, reward }, engine) => {
    const file = join(folder, `${step}.json`)
    if (step < stage.looks.from || step % stage.looks.every !== 0 || fs.existsSync(file)) return
    fs.mkdirSync(folder, { recursive: true })
    const rows = await replies({ ...stage, engine }, policy!, fixedPrompts(stage), 'fixed')
    writeDurable(file, JSON.stringify(await lookAt({ ...stage, engine }, { step, rows, reward: reward! })))
  }
}

function fixedPrompts({ domain, seed, settings }: Stage): string[] {
  return domain.prompts(seed, { n: settings.sizes.fixedPrompts, split: 'evaluation' }).map((p) => p.prompt)
}

async function lookAt(
  stage: Stage,
  { step, rows, reward }: { step: number; rows: Reply[]; reward: Model },
): Promise<Look> {
  const proxies = await scoresOf(
    stage.engine,
    reward,
    rows.map(({ rollout }) => rollout),
  )
  const golds = goldOf(stage, rows)
  return { step, proxy: mean([...proxies]), gold: mean(golds), golds }
}

function looksOf(stage: Stage, variant: Variant): Look[] {
  const folder = join(run(stage, variant), 'looks')
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder)
    .map((name) => JSON.parse(fs.readFileSync(join(folder, name), 'utf8')) as Look)
    .sort((a, b) => a.step - b.step)
}

/** Looks at the fixed prompts with finished weights. */
async function lookWith(stage: Stage, weights: string, step: number): Promise<Look> {
  const rows = await withWeights(stage, weights, (model) => replies(stage, model, fixedPrompts(stage), 'fixed'))
  return withWeights(stage, `${run(stage, 'reward')}/model`, (reward) => lookAt(stage, { step, rows, reward }))
}

type MetricRow = { kind?: string; step: number; [name: string]: unknown }
type StepRow = { step: number } & Record<string, number>

/** `bare`: of the run without rules, where the plan has one. */
type Ends = { before: Look; after: Look; bare?: Look }

/** SFT, the kept policy and the one without rules on the fixed prompts; called when these runs have ended. */
export async function lookAtEnds(stage: Stage): Promise<Ends> {
  const at = (name: string, step: number) => lookWith(stage, `${run(stage, name)}/model`, step)
  const kept = keptStep(stage)
  const ends = { before: await at('sft', 0), after: await at('ppo', kept) }
  return stage.comparisons ? { ...ends, bare: await at('ppo-no-rules', 0) } : ends
}

function keptStep(stage: Stage, variant: Variant = 'ppo'): number {
  return (readRun(run(stage, variant)).record.outcome as unknown as Trained['outcome']).kept ?? 0
}

function klWithoutRules(stage: Stage): number {
  const kept = keptStep(stage, 'ppo-no-rules')
  const rows = readJsonl<MetricRow>(`${run(stage, 'ppo-no-rules')}/metrics.jsonl`)
  const row = rows.find(({ kind, step }) => kind === undefined && step === kept) as StepRow | undefined
  return row?.klAverage3 ?? 0
}

/** Everything about the budgeted run and, where the plan has them, its continuation and the run without rules; called when all are done. */
export function reportRl(stage: Stage, ends: Ends): RlReport {
  const { config } = readRun(run(stage, 'ppo')).config as { config: PpoConfig }
  const outcome = readRun(run(stage, 'ppo')).record.outcome as unknown as Trained['outcome']
  const rows = readJsonl<MetricRow>(`${run(stage, 'ppo')}/metrics.jsonl`)
  const continuation = stage.comparisons ? readJsonl<MetricRow>(`${run(stage, 'ppo-unbudgeted')}/metrics.jsonl`) : []
  const continued = continuation.filter(({ step }) => step > outcome.steps) // before, it is a copy of the budgeted run
  const steps = rows.filter((row) => row.kind === undefined) as unknown as StepRow[]
  const kept = keptStep(stage)
  const { before, after, bare } = ends
  const goldOfLook = ({ golds }: Look) => bootstrapMean(golds, { seed: stage.seed })
  const gain = (look: Look) =>
    bootstrapMean(
      look.golds.map((g, i) => g - before.golds[i]!),
      { seed: stage.seed },
    )
  const all = [...steps, ...(continued.filter((row) => row.kind === undefined) as unknown as StepRow[])]
  const klAt = (step: number) => (step === 0 ? 0 : (all.find((row) => row.step === step)?.klAverage3 ?? 0))
  const looks = [before, ...looksOf(stage, 'ppo'), ...looksOf(stage, 'ppo-unbudgeted')].map((look) => ({
    ...look,
    goldInterval: goldOfLook(look),
  }))
  const alarms = [...alarmsIn(rows, 'budgeted', klAt), ...alarmsIn(continued, 'unbudgeted', klAt)]
  const keptRow = steps.find((row) => row.step === kept) ?? steps.at(-1)!
  return {
    steps: outcome.steps,
    kl: klAt(kept),
    goldBefore: before.gold,
    goldAfter: after.gold,
    goldGain: gain(after),
    proxyBefore: before.proxy,
    proxyAfter: after.proxy,
    intervals: { goldBefore: goldOfLook(before), goldAfter: goldOfLook(after) },
    stoppedBy: outcome.stoppedBy,
    stopReason: outcome.reason,
    alarms,
    terms: Object.entries({ learned: 1, ...RULE_WEIGHTS }).map(([name, weight]) => ({
      name,
      weight,
      before: steps[0]![`reward.${name}`]!,
      after: keptRow[`reward.${name}`]!,
    })),
    marks: rows.filter((row) => row.kind === 'mark').map(markOf),
    ...(stage.comparisons && {
      unbudgeted: {
        points: looks.map((look) => ({
          step: look.step,
          kl: klAt(look.step),
          proxy: look.proxy,
          gold: look.gold,
          goldInterval: look.goldInterval,
          goldGain: gain(look),
        })),
        alarmAt: alarms.find((alarm) => alarm.action !== 'note')?.kl ?? null,
        peakAt: peakOf(looks.map(({ step, gold }) => ({ kl: klAt(step), gold }))),
      },
    }),
    algorithm: 'PPO with a critic',
    budget: config.klBudget === 'off' ? null : config.klBudget,
    keptStep: kept,
    prompts: stage.settings.sizes.fixedPrompts,
    completionsPerStep: config.promptsPerStep * config.samplesPerPrompt,
    series: steps.map((row) => seriesOf(row, looks)),
    ...(stage.comparisons && {
      continued: (continued.filter((row) => row.kind === undefined) as unknown as StepRow[]).map((row) =>
        seriesOf(row, looks),
      ),
    }),
    ...(bare && { withoutRules: { goldGain: gain(bare), kl: klWithoutRules(stage) } }),
  }
}

function seriesOf(row: StepRow, looks: (Look & { goldInterval: Interval })[]): NonNullable<RlReport['series']>[number] {
  const look = looks.find(({ step }) => step === row.step)
  return {
    step: row.step,
    kl: row.klAverage3 ?? null,
    proxy: row['reward.learned'] ?? null,
    ...(look && { gold: look.gold, goldInterval: look.goldInterval }),
    entropy: row.entropy ?? null,
    length: row.tokensMean ?? null,
    samplerGap: row.samplerGapMean ?? null,
    terms: Object.fromEntries(
      Object.entries(row).flatMap(([name, value]) => (name.startsWith('reward.') ? [[name.slice(7), value]] : [])),
    ),
  }
}

function alarmsIn(
  rows: MetricRow[],
  of: 'budgeted' | 'unbudgeted',
  klAt: (step: number) => number,
): RlReport['alarms'] {
  const seen = new Set<string>()
  return rows.flatMap((row) => {
    if (row.kind !== 'alarm') return []
    const alarm = row as unknown as {
      name: string
      step: number
      rule: string
      value: number
      threshold: number
      action: 'note' | 'pause' | 'stop'
    }
    // The first time that each fires; it stays on while its window holds.
    if (seen.has(alarm.name)) return []
    seen.add(alarm.name)
    const { name, step, rule, value, threshold, action } = alarm
    return [{ name, step, kl: klAt(step), rule, value, threshold, action, run: of }]
  })
}

function markOf(row: MetricRow): RlReport['marks'][number] {
  const { mark } = row as unknown as { mark: MarkResult }
  const { step, kl, winReference, winBest, accuracy, decision, reason } = mark
  return {
    step,
    kl,
    winSft: winReference.value,
    winBest: winBest?.value ?? null,
    accuracy: accuracy?.value ?? null,
    decision,
    reason,
    intervals: { winSft: winReference, ...(winBest && { winBest }), ...(accuracy && { accuracy }) },
  }
}

/** KL of the highest 3-point mean of gold. */
function peakOf(points: { kl: number; gold: number }[]): number {
  let best = { kl: points[0]!.kl, gold: -Infinity }
  for (let i = 1; i + 1 < points.length; i++) {
    const gold = mean(points.slice(i - 1, i + 2).map((p) => p.gold))
    if (gold > best.gold) best = { kl: points[i]!.kl, gold }
  }
  return best.kl
}

/** The checkpoint that was kept, by its manifest's hash. */
export function keptCheckpoint(stage: Pick<Stage, 'dir'>): string {
  const folder = run(stage, 'ppo')
  const { outcome } = readRun(folder).record as { outcome?: { kept?: number } }
  return outcome?.kept === undefined ? run(stage, 'sft') : readCheckpoint(folder, outcome.kept).folder
}
