// npm run trials -- real-model [SEED ...] [--minutes 30|10] [--out FOLDER]: SmolLM2-135M-Instruct through the whole loop
// on the bundled customer-service domain, with adapters: SFT, reward model, PPO under a KL budget, evaluation, report.
// Then what it could do before: perplexity of a public-domain text and a small suite. Experts, annotators and gold are
// simulated. Prints each claim with its figure; exits 1 if any fails, 0 with a sentence where the model cannot be had.
// Stopped or killed, the same command goes on.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { ConfigError } from '#errors'
import { holdFolder, writeDurable } from '#files'
import type { Comparison, Report } from '#schema'
import { bootstrapMean, deriveSeed, type Interval } from '#stats'
import { closeTemplates } from '#text'
import { smollm2 } from '../scripts/smollm2.ts'
import { runChain } from '../src/cli/quickstart/chain.ts'
import { data, openStage, readJsonl, replies, run, type Stage, withWeights } from '../src/cli/quickstart/stage.ts'
import { duration } from '../src/cli/output.ts'
import { Stopped, stoppable } from '../src/cli/stop.ts'
import { answerSuite, GENERAL_KINDS, generalSuite } from './worlds/general-suite.ts'
import { GENERAL_MOST, MINUTES, type Minutes, realModelPlan } from './worlds/real-model-plan.ts'

/** Prompts that the base answers, to see how much of its wording the gold can read. */
const BASE_PROMPTS = 60
const MOST_UNKNOWN = 0.05
const MODELS = ['base', 'sft', 'ppo'] as const

type Claim = { name: string; holds?: boolean; figure: string }
/** What is measured beside the report: sentences that the gold cannot read, and the suite, 1 = right of each item. */
type Measured = {
  unknown: Record<(typeof MODELS)[number], { unknown: number; all: number }>
  suite: Record<(typeof MODELS)[number], number[]>
  seconds: number
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '30' }, out: { type: 'string', default: 'out/real-model' } },
})
const minutes = MINUTES.find((m) => String(m) === values.minutes)
if (minutes === undefined) throw new ConfigError(`--minutes: expected ${MINUTES.join(' or ')}, got ${values.minutes}`)
const seeds = positionals.length > 0 ? positionals.map(Number) : [1]
const base = await importedModel()
if ('missing' in base) {
  console.log(base.missing)
  process.exit(0)
}
let failures = 0
try {
  for (const seed of seeds) failures += await trial(base.folder, { seed, minutes, dir: folderOf(seed, minutes) })
} catch (error) {
  if (!(error instanceof Stopped)) throw error
  console.error(error.message)
  process.exit(130)
} finally {
  closeTemplates()
}
console.log(`\n${failures} claims fail over ${seeds.length} seeds`)
process.exit(failures === 0 ? 0 : 1)

function folderOf(seed: number, form: Minutes): string {
  return resolve(values.out, `${form}-minutes`, `seed-${seed}`)
}

/** The model as a Hugging Face folder, made by hone import from the fetched file unless it is there. */
async function importedModel(): Promise<{ folder: string } | { missing: string }> {
  const found = smollm2()
  if ('missing' in found) return found
  const folder = found.file.replace(/\.[^.]+\.gguf$/, '')
  if (!existsSync(folder)) {
    const done = spawnSync(process.execPath, ['scripts/hone.mjs', 'import', found.file, '--out', folder], {
      stdio: 'inherit',
    })
    if (done.status !== 0) throw new Error(`hone import failed with exit code ${done.status}`)
  }
  return { folder }
}

/** Runs or goes on with one seed; how many of its claims fail. */
async function trial(
  folder: string,
  { seed, minutes, dir }: { seed: number; minutes: Minutes; dir: string },
): Promise<number> {
  const plan = realModelPlan({ base: folder, seed, minutes })
  mkdirSync(dir, { recursive: true })
  const hold = holdFolder(dir)
  try {
    return await stoppable(async (signal) => {
      const stage = await openStage({ dir, seed, plan, domain: 'customer-service', signal })
      const report = await runChain(stage)
      const found = claims(report, { measured: await measure(stage), minutes, ratio: generalRatioIn(dir) })
      console.log(`\nseed ${seed}, ${minutes} minutes`)
      for (const { name, holds, figure } of found)
        console.log(`  ${holds === undefined ? 'figure' : holds ? 'holds ' : 'FAILS '} ${name.padEnd(58)} ${figure}`)
      return found.filter(({ holds }) => holds === false).length
    })
  } finally {
    hold.release()
  }
}

async function measure(stage: Stage): Promise<Measured> {
  const file = join(stage.dir, 'steps', 'measured.json')
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Measured
  const start = performance.now()
  const pairs = readJsonl<Comparison>(data(stage, 'evaluation-pairs'))
  const items = generalSuite(stage.seed)
  const suite = { base: [] as number[], sft: [] as number[], ppo: [] as number[] }
  let ofBase: { prompt: string; completion: string }[] = []
  for (const name of MODELS)
    await withWeights(stage, name === 'base' ? stage.base : `${run(stage, name)}/model`, async (model) => {
      suite[name] = await answerSuite(stage, model, items)
      if (name === 'base')
        ofBase = await replies(
          stage,
          model,
          pairs.slice(0, BASE_PROMPTS).map(({ prompt }) => prompt as string),
          'natural',
        )
    })
  const unknownIn = (rows: { prompt: string; completion: string }[]) =>
    rows.reduce(
      (sum, { prompt, completion }) => {
        const { all, unknown } = stage.domain.gold.read(prompt, completion).sentences
        return { all: sum.all + all, unknown: sum.unknown + unknown }
      },
      { all: 0, unknown: 0 },
    )
  const side = (of: 'a' | 'b') => pairs.map((pair) => ({ prompt: pair.prompt as string, completion: pair[of] }))
  const measured: Measured = {
    // In evaluation-pairs `a` is the kept policy's and `b` is SFT's.
    unknown: { base: unknownIn(ofBase), sft: unknownIn(side('b')), ppo: unknownIn(side('a')) },
    suite,
    seconds: (performance.now() - start) / 1000,
  }
  writeDurable(file, JSON.stringify(measured))
  return measured
}

/** Perplexity of the general text, kept policy over base, as evaluation.json has it. */
function generalRatioIn(dir: string): Interval {
  const { statistics } = JSON.parse(readFileSync(join(dir, 'evaluation.json'), 'utf8')) as {
    statistics: { general: { perplexityRatio: Interval } }
  }
  return statistics.general.perplexityRatio
}

function claims(
  { sft, reward, rl, evaluation, seconds }: Report,
  { measured, minutes, ratio }: { measured: Measured; minutes: Minutes; ratio: Interval },
): Claim[] {
  if (!sft || !reward || !rl || !evaluation)
    return [{ name: 'all steps ran', holds: false, figure: 'a section is missing' }]
  const { general, domain } = sft.perplexity
  const fallen = evaluation.criteria.filter((c) => c.change.value < 0 && c.p! < 0.05)
  const total = Object.values(seconds.perStep).reduce((a, b) => a + b, measured.seconds)
  const unknown = (name: (typeof MODELS)[number]) => measured.unknown[name].unknown / measured.unknown[name].all
  const { suite } = measured
  const change = bootstrapMean(
    suite.ppo.map((right, i) => right - suite.base[i]!),
    { seed: deriveSeed(1, 'suite') },
  )
  return [
    { name: 'SFT held-out loss over the entropy floor', figure: (sft.heldOutLoss / sft.floor!).toFixed(3) },
    { name: 'domain perplexity', figure: `${domain.before.toFixed(2)} -> ${domain.after.toFixed(2)}` },
    { name: 'reward accuracy; ceiling', figure: `${say(reward.accuracy)}; ${say(reward.ceiling)}` },
    {
      name: 'KL of the kept step, nats; stopped by',
      figure: `${rl.kl.toFixed(2)} at step ${rl.keptStep} of ${rl.steps}; ${rl.stoppedBy}`,
    },
    { name: 'gold gain, low bound above 0', holds: rl.goldGain.low > 0, figure: say(rl.goldGain) },
    {
      name: 'blind win rate, low bound above 0.5',
      holds: evaluation.winRate.low > 0.5,
      figure: say(evaluation.winRate),
    },
    {
      name: 'no criterion significantly down after Holm',
      holds: fallen.length === 0,
      figure: evaluation.criteria.map((c) => `${c.name} ${c.change.value.toFixed(3)}`).join(', '),
    },
    { name: 'sentences the gold cannot read: base', figure: percent(unknown('base')) },
    ...(['sft', 'ppo'] as const).map((name) => ({
      name: `sentences the gold cannot read: ${name}, below 5%`,
      holds: unknown(name) < MOST_UNKNOWN,
      figure: percent(unknown(name)),
    })),
    {
      name: 'general perplexity, SFT over base, below 1.05',
      holds: general.after / general.before < GENERAL_MOST,
      figure: `${(general.after / general.before).toFixed(4)} (${general.before.toFixed(2)} -> ${general.after.toFixed(2)})`,
    },
    {
      name: 'general perplexity, PPO over base, below 1.05',
      holds: ratio.value < GENERAL_MOST,
      figure: `${ratio.value.toFixed(4)} [${ratio.low.toFixed(4)}, ${ratio.high.toFixed(4)}]`,
    },
    {
      name: 'small suite not shown to be worse, PPO against base',
      holds: change.high >= 0,
      figure: `${suite.base.length} items, ${MODELS.map((name) => `${name} ${rights(suite[name])}`).join('; ')}; change ${say(change)}`,
    },
    {
      name: 'violations on the natural mix, SFT -> PPO',
      figure: `${percent(evaluation.violations.before)} -> ${percent(evaluation.violations.after)} of ${evaluation.violations.n}`,
    },
    { name: 'verdict', figure: `${evaluation.verdict}${evaluation.reasons?.[0] ? `: ${evaluation.reasons[0]}` : ''}` },
    {
      name: `within ${minutes} minutes`,
      holds: total < minutes * 60,
      figure: `${duration(total)}: ${Object.entries(seconds.perStep)
        .map(([step, of]) => `${step} ${of.toFixed(0)}`)
        .join(', ')}, suite ${measured.seconds.toFixed(0)} s`,
    },
  ]
}

/** Right of all, and of each kind: they lie side by side, as many of each. */
function rights(of: number[]): string {
  const each = of.length / GENERAL_KINDS.length
  const sum = (part: number[]) => part.reduce((a, b) => a + b, 0)
  return `${sum(of)} (${GENERAL_KINDS.map((kind, i) => `${kind} ${sum(of.slice(i * each, (i + 1) * each))}`).join(', ')})`
}

function say({ value, low, high }: { value: number; low: number; high: number }): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}
