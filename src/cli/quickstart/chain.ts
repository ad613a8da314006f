// One turn of the loop, from objective to report: the seven steps of a plan over a folder. Stopped or killed, the same
// call goes on.
import fs from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { diagnose, gatherFacts } from '#evaluate'
import { writeDurable } from '#files'
import { renderReport } from '#report'
import { Report, type RewardReport, type StepName, STEPS } from '#schema'
import { describe, setThreads } from '#torch'
import { duration, output } from '../output.ts'
import { version } from '../version.ts'
import { curate, defineObjective } from './demonstrations.ts'
import { evaluate } from './evaluation.ts'
import { fineTune } from './fine-tune.ts'
import { lineage } from './lineage.ts'
import { giveThreads, type Part, startPart } from './parts.ts'
import { protocol } from './protocol.ts'
import { lookAtEnds, reinforce, reportRl } from './reinforce.ts'
import { trainReward } from './reward-model.ts'
import { readJsonl, run, type Stage } from './stage.ts'

/** All seven steps, each kept when it is done, so that the same call goes on from there; leaves report.html and report.json. */
export async function runChain(stage: Stage): Promise<Report> {
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
  const work = {
    reinforce: () =>
      step('rl', 'PPO under a KL budget, marks judged by simulated annotators', () => reinforce(stage, 'ppo')),
    evaluate: () => step('evaluation', 'evaluation, gates and verdict', () => evaluate(stage)),
  }
  const { curve, judgedPolicy, ends } = await (stage.comparisons ? besideOthers(stage, work) : inTurn(stage, work))
  const { evaluation, samples } = judgedPolicy
  const rl = reportRl(stage, ends)
  const reward = { ...rewardPart, bestOfN: curve }

  const { seed, scale, settings, lora, domain } = stage
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
    title: stage.title,
    ...(stage.leftOut && { leftOut: stage.leftOut }),
    ...(scale < 1 && { scale }),
    createdAt: new Date().toISOString(),
    command: stage.command,
    steps: STEPS.map((name) => ({ step: name, state: 'done' as const })),
    simulated: true,
    simulatedWho: [
      'the experts who wrote demonstrations',
      'the annotators who judged pairs',
      'the gold score that checks them',
    ],
    world: { hash: domain.worldHash(), seed },
    settings: {
      sft: flat(settings.sft),
      reward: flat(settings.reward),
      ppo: flat(settings.ppo),
      evaluation: settings.evaluation,
      ...(lora && { lora: flat(lora) }),
    },
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
  return report
}

type Work = { reinforce: () => Promise<unknown>; evaluate: () => ReturnType<typeof evaluate> }
type Worked = {
  curve: RewardReport['bestOfN']
  judgedPolicy: Awaited<ReturnType<typeof evaluate>>
  ends: Awaited<ReturnType<typeof lookAtEnds>>
}

/** Two processes share the machine, a thread each: what is only compared with runs beside PPO and evaluation. Whichever is alone takes all threads: bits do not depend on their number. */
async function besideOthers(stage: Stage, { reinforce, evaluate }: Work): Promise<Worked> {
  const all = describe().threads
  let running = 0
  const beside = async (part: Part): Promise<unknown> => {
    running++
    setThreads(1)
    try {
      return await startPart(stage, part)
    } finally {
      if (--running === 0) setThreads(all)
    }
  }
  const bestOfN = beside('best-of-n')
  const withoutRules = bestOfN.then(() => beside('without-rules'))
  const reinforced = reinforce()
  const unbudgeted = Promise.all([reinforced, withoutRules]).then(() => beside('unbudgeted'))
  const evaluated = reinforced.then(evaluate)
  const looked = Promise.all([evaluated, withoutRules]).then(async () => {
    const ends = await lookAtEnds(stage)
    giveThreads(all)
    return ends
  })
  const [curve, judgedPolicy, ends] = await Promise.all([bestOfN, evaluated, looked, unbudgeted])
  return { curve: curve as Worked['curve'], judgedPolicy, ends }
}

async function inTurn(stage: Stage, { reinforce, evaluate }: Work): Promise<Worked> {
  await reinforce()
  const judgedPolicy = await evaluate()
  return { curve: [], judgedPolicy, ends: await lookAtEnds(stage) }
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
