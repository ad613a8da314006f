// hone quickstart: all seven steps on the bundled domain, annotators simulated and said to be so, in a folder that is a
// workspace. Stopped or killed, the same command goes on. Independent parts run as second processes.
import fs from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { holdFolder, writeDurable } from '#files'
import { renderReport } from '#report'
import { Report, type StepName, STEPS } from '#schema'
import { describe, setThreads } from '#torch'
import { diagnose, gatherFacts } from '#evaluate'
import { duration, output } from '../output.ts'
import { stoppable } from '../stop.ts'
import { version } from '../version.ts'
import { curate, defineObjective } from './demonstrations.ts'
import { evaluate } from './evaluation.ts'
import { fineTune } from './fine-tune.ts'
import { claimFolder, type Identity, parseIdentity, readIdentity } from './identity.ts'
import { lineage } from './lineage.ts'
import { endWithParent, PARTS, type Part, runPart, startPart } from './parts.ts'
import { protocol } from './protocol.ts'
import { lookAtEnds, reinforce, reportRl } from './reinforce.ts'
import { trainReward } from './reward-model.ts'
import { openStage, readJsonl, run, type Stage } from './stage.ts'

type Options = { dir: string; seed: string; scale: string; json?: boolean; part?: Part }

export function quickstartCommand(program: Command): void {
  program
    .command('quickstart')
    .description('all seven steps on the bundled customer-service domain; annotators are simulated, and said to be so')
    .option('--dir <folder>', 'workspace to make, or to go on with', 'out/quickstart')
    .option('--seed <number>', 'every random draw follows from it', '1')
    .option(
      '--scale <fraction>',
      'of rows and steps, for a quick look: at 0.05 the whole loop ends in about half a minute on a quiet 2-core machine, and its figures prove nothing, which the report says',
      '1',
    )
    .option('--json', 'events as JSON lines')
    .addOption(new Option('--part <name>', 'one part, as a second process').choices(PARTS).hideHelp())
    .action(async (options: Options) => {
      const dir = resolve(options.dir)
      const { part, json } = options
      const open = (identity: Identity, signal: AbortSignal) =>
        openStage({ dir, ...identity, domain: 'customer-service', signal, ...(json && { json }) })
      if (part !== undefined)
        return stoppable(async (signal) => {
          endWithParent(signal)
          await runPart(await open(readIdentity(dir), signal), part)
        })
      const identity = parseIdentity(options)
      claimFolder(dir, identity)
      // A second one in the same folder would write over the first; its parts are its own.
      const hold = holdFolder(dir)
      try {
        await stoppable(async (signal) => quickstart(await open(identity, signal)))
      } finally {
        hold.release()
      }
    })
}

async function quickstart(stage: Stage): Promise<void> {
  const { dir, out } = stage
  const start = performance.now()
  const seconds: Record<string, number> = {}
  const step = async <T>(name: StepName, words: string, work: () => Promise<T>): Promise<T> => {
    const number = STEPS.indexOf(name) + 1
    out.say(`${number} of 7  ${words}`)
    out.event({ event: 'begin', step: name })
    const kept = join(dir, 'steps', `${name}.json`)
    if (fs.existsSync(kept)) {
      const { part, seconds: took } = JSON.parse(fs.readFileSync(kept, 'utf8')) as { part: T; seconds: number }
      seconds[name] = took
      return part
    }
    const from = performance.now()
    const part = await work()
    seconds[name] = (performance.now() - from) / 1000
    fs.mkdirSync(join(dir, 'steps'), { recursive: true })
    writeDurable(kept, JSON.stringify({ part, seconds: seconds[name] }))
    out.endProgress()
    out.say(`        done in ${duration(seconds[name])}`)
    return part
  }

  const objectives = await step('objectives', 'objective and guideline', () => defineObjective(stage))
  const demonstrations = await step('demonstrations', 'demonstrations by simulated experts, checked', () =>
    curate(stage),
  )
  const sft = await step('sft', 'supervised fine-tuning', () => fineTune(stage))
  const judged = await step('protocol', 'blind pairs judged by simulated annotators', () => protocol(stage))
  const rewardPart = await step('reward', 'reward model', () => trainReward(stage))
  // From here on two processes share the machine.
  setThreads(1)
  const bestOfN = startPart(stage, 'best-of-n')
  const withoutRules = bestOfN.then(() => startPart(stage, 'without-rules'))
  const reinforced = step('rl', 'PPO under a KL budget, marks judged by simulated annotators', () =>
    reinforce(stage, 'ppo'),
  )
  const unbudgeted = Promise.all([reinforced, withoutRules]).then(() => startPart(stage, 'unbudgeted'))
  const judgedPolicy = reinforced.then(() => step('evaluation', 'evaluation, gates and verdict', () => evaluate(stage)))
  const looked = Promise.all([judgedPolicy, withoutRules]).then(() => lookAtEnds(stage))
  const [curve, { evaluation, samples }, ends] = await Promise.all([bestOfN, judgedPolicy, looked, unbudgeted])
  const rl = reportRl(stage, ends)
  const reward = { ...rewardPart, bestOfN: curve as typeof rewardPart.bestOfN }

  const { seed, scale, settings, domain } = stage
  const engine = describe()
  const report = Report.parse({
    objectives,
    demonstrations,
    sft,
    protocol: judged,
    reward,
    rl,
    evaluation,
    lineage: lineage(stage),
    samples,
    seconds: { perStep: seconds, total: (performance.now() - start) / 1000 },
    hone: version(),
    title: 'Customer service: the bundled domain, simulated',
    ...(scale < 1 && { scale }),
    createdAt: new Date().toISOString(),
    command: `npm run quickstart -- --seed ${seed}${scale < 1 ? ` --scale ${scale}` : ''}`,
    steps: STEPS.map((name) => ({ step: name, state: 'done' as const })),
    simulated: true,
    simulatedWho: [
      'the experts who wrote demonstrations',
      'the annotators who judged pairs',
      'the gold score that checks them',
    ],
    world: { hash: domain.worldHash(), seed },
    settings: { sft: flat(settings.sft), reward: flat(settings.reward), ppo: flat(settings.ppo) },
    environment: {
      libtorch: engine.version,
      threads: engine.threads,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
      device: 'cpu',
      dtype: 'float32',
      memoryPeakBytes: process.resourceUsage().maxRSS * 1024,
    },
  })
  report.evaluation!.diagnosis = diagnose(
    gatherFacts({
      report,
      rl: { metrics: readJsonl(join(run(stage, 'ppo'), 'metrics.jsonl')), config: settings.ppo },
    }),
  )
  writeDurable(join(dir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeDurable(join(dir, 'report.html'), renderReport(report))
  out.event({
    event: 'done',
    report: join(dir, 'report.html'),
    verdict: evaluation.verdict,
    seconds: report.seconds.total,
  })
  tell(report, dir, output({ json: out.json }))
}

function tell(report: Report, dir: string, out: ReturnType<typeof output>): void {
  const { rl, evaluation, seconds, scale } = report
  const say = ({ value, low, high }: { value: number; low: number; high: number }) =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  out.say(
    `\ngold by the simulation  ${rl!.goldBefore.toFixed(2)} -> ${rl!.goldAfter.toFixed(2)}, gain ${say(rl!.goldGain)}`,
  )
  out.say(`blind win rate          ${say(evaluation!.winRate)}`)
  out.say(
    `verdict                 ${evaluation!.verdict}${evaluation!.reasons?.length ? `: ${evaluation!.reasons[0]}` : ''}`,
  )
  if (scale !== undefined)
    out.say(`scale                   ${scale}: a quick look, none of these figures proves anything`)
  out.say(`report                  ${join(dir, 'report.html')}  (${duration(seconds.total)})`)
}

function flat(config: object): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    Object.entries(config).filter(([, v]) => v === null || ['string', 'number', 'boolean'].includes(typeof v)),
  ) as Record<string, string | number | boolean | null>
}
