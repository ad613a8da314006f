// One turn of the loop, from objective to report: the seven steps of a plan over a folder. Stopped or killed, the same
// call goes on.
import fs from 'node:fs'
import { join } from 'node:path'
import { writeDurable } from '#files'
import { type Report, type RewardReport, type StepName, STEPS } from '#schema'
import { describe, setThreads } from '#torch'
import { duration } from '../output.ts'
import { curate, defineObjective } from './demonstrations.ts'
import { evaluate } from './evaluation.ts'
import { fineTune } from './fine-tune.ts'
import { lineage } from './lineage.ts'
import { giveThreads, type Part, startPart } from './parts.ts'
import { type Passage, passageFrom } from './passage.ts'
import { protocol } from './protocol.ts'
import { lookAtEnds, reinforce, reportRl } from './reinforce.ts'
import { leaveReport, type Made } from './report.ts'
import { trainReward } from './reward-model.ts'
import type { Stage } from './stage.ts'

/** The seven steps, each kept when it is done, so that the same call goes on from there; leaves report.html and report.json. A failed gate of SFT or of the reward model ends it. */
export async function runChain(stage: Stage): Promise<Report> {
  const { dir, out } = stage
  const start = performance.now()
  const perStep: Record<string, number> = {}
  const step = async <T>(name: StepName, words: string, work: () => Promise<T>): Promise<T> => {
    const number = STEPS.indexOf(name) + 1
    out.say(`${number} of 7  ${words}`)
    out.event({ event: 'begin', step: name })
    const kept = join(dir, 'steps', `${name}.json`)
    if (fs.existsSync(kept)) {
      const { part, seconds: took } = JSON.parse(fs.readFileSync(kept, 'utf8')) as { part: T; seconds: number }
      perStep[name] = took
      return part
    }
    const from = performance.now()
    const part = await work()
    perStep[name] = (performance.now() - from) / 1000
    fs.mkdirSync(join(dir, 'steps'), { recursive: true })
    writeDurable(kept, JSON.stringify({ part, seconds: perStep[name] }))
    out.endProgress()
    out.say(`        done in ${duration(perStep[name])}`)
    return part
  }
  const report = (made: Made, passages: Passage[]) =>
    leaveReport(stage, made, { passages, seconds: { perStep, total: (performance.now() - start) / 1000 } })

  const objectives = await step('objectives', 'objective and guideline', () => defineObjective(stage))
  const demonstrations = await step('demonstrations', 'demonstrations by simulated experts, checked', () =>
    curate(stage),
  )
  const sft = await step('sft', 'supervised fine-tuning', () => fineTune(stage))
  const fromSft = passageFrom(stage, 'the gate of SFT', [sft.gate, ...(sft.formGates ?? [])])
  if (fromSft.stops !== undefined) return report({ objectives, demonstrations, sft }, [fromSft])
  const judged = await step('protocol', 'blind pairs judged by simulated annotators', () => protocol(stage))
  const reward = await step('reward', 'reward model', () => trainReward(stage))
  const passages = [fromSft, passageFrom(stage, 'the ticket of the reward model', reward.ticket ?? [])]
  const until = { objectives, demonstrations, sft, protocol: judged, reward }
  if (passages.some(({ stops }) => stops !== undefined)) return report(until, passages)
  const work = {
    reinforce: () =>
      step('rl', 'PPO under a KL budget, marks judged by simulated annotators', () => reinforce(stage, 'ppo')),
    evaluate: () => step('evaluation', 'evaluation, gates and verdict', () => evaluate(stage)),
  }
  const { curve, judgedPolicy, ends } = await (stage.comparisons ? besideOthers(stage, work) : inTurn(stage, work))
  const { evaluation, samples } = judgedPolicy
  const rl = reportRl(stage, ends)
  const whole = { ...until, reward: { ...reward, bestOfN: curve }, rl, evaluation, lineage: lineage(stage), samples }
  return report(whole, passages)
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
