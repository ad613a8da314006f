// report.json and report.html of one turn of the loop: the sections that its steps made, what it ran with, where it ended.
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { diagnose, gatherFacts } from '#evaluate'
import { writeDurable } from '#files'
import { renderReport } from '#report'
import { Report, STEPS } from '#schema'
import { describe } from '#torch'
import { duration, output } from '../output.ts'
import { version } from '../version.ts'
import type { Passage } from './passage.ts'
import { readJsonl, run, type Stage } from './stage.ts'

/** Sections by the steps that were reached. */
export type Made = Pick<
  Report,
  'objectives' | 'demonstrations' | 'sft' | 'protocol' | 'reward' | 'rl' | 'evaluation' | 'lineage' | 'samples'
>

export function leaveReport(
  stage: Stage,
  made: Made,
  { passages, seconds }: { passages: Passage[]; seconds: Report['seconds'] },
): Report {
  const { dir, out, seed, scale, settings, lora, domain } = stage
  const stops = passages.flatMap((passage) => passage.stops ?? [])[0]
  const past = passages.flatMap((passage) => passage.past ?? [])
  const report = Report.parse({
    ...made,
    seconds,
    hone: version(),
    title: stage.title,
    ...(stage.leftOut && { leftOut: stage.leftOut }),
    ...(past.length > 0 && { pastGates: past }),
    ...(scale < 1 && { scale }),
    createdAt: new Date().toISOString(),
    command: stage.command,
    steps: STEPS.map((step) =>
      made[step] === undefined ? { step, state: 'missing', reason: stops } : { step, state: 'done' },
    ),
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
    environment: environment(stage),
  })
  if (report.evaluation)
    report.evaluation.diagnosis = diagnose(
      gatherFacts({
        report,
        rl: { metrics: readJsonl(join(run(stage, 'ppo'), 'metrics.jsonl')), config: settings.ppo },
      }),
    )
  writeDurable(join(dir, 'report.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeDurable(join(dir, 'report.html'), renderReport(report))
  const { verdict } = report.evaluation ?? {}
  out.event({
    event: 'done',
    report: join(dir, 'report.html'),
    ...(verdict && { verdict }),
    ...(stops !== undefined && { stopped: stops }),
    seconds: seconds.total,
  })
  tell(report, { dir, stops, out: output({ json: out.json }) })
  return report
}

function environment({ dtype }: Stage): Report['environment'] {
  const engine = describe()
  return {
    libtorch: engine.version,
    threads: engine.threads,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: `${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores`,
    device: 'cpu',
    dtype,
    memoryPeakBytes: process.resourceUsage().maxRSS * 1024,
  }
}

function tell(
  { rl, evaluation, seconds, scale }: Report,
  { dir, stops, out }: { dir: string; stops: string | undefined; out: ReturnType<typeof output> },
): void {
  const say = ({ value, low, high }: { value: number; low: number; high: number }) =>
    `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
  out.say('')
  if (stops !== undefined) out.say(`stopped before RL       ${stops}`)
  if (rl)
    out.say(
      `gold by the simulation  ${rl.goldBefore.toFixed(2)} -> ${rl.goldAfter.toFixed(2)}, gain ${say(rl.goldGain)}`,
    )
  if (evaluation) {
    out.say(`blind win rate          ${say(evaluation.winRate)}`)
    out.say(
      `verdict                 ${evaluation.verdict}${evaluation.reasons?.length ? `: ${evaluation.reasons[0]}` : ''}`,
    )
  }
  if (scale !== undefined)
    out.say(`scale                   ${scale}: a quick look, none of these figures proves anything`)
  out.say(`report                  ${join(dir, 'report.html')}  (${duration(seconds.total)})`)
}

function flat(config: object): Record<string, string | number | boolean | null> {
  return Object.fromEntries(
    Object.entries(config).filter(([, v]) => v === null || ['string', 'number', 'boolean'].includes(typeof v)),
  ) as Record<string, string | number | boolean | null>
}
