// A PPO run that a mark paused, since its reward model no longer tells what people prefer: it goes on from that mark with a
// reward model trained anew. That one is held to the mark's fresh pairs first, on the answers that the run keeps; where the
// rule of marks would pause again, nothing is changed.
import { join } from 'node:path'
import type { MarkResult } from '#align'
import { ConfigError, invariant } from '#errors'
import { holdFolder, writeDurable } from '#files'
import { latestCheckpoint, modelsOf } from './checkpoints.ts'
import { PpoJob } from './jobs.ts'
import { preparePpo } from './prepare-ppo.ts'
import { readRun, type RunRecord } from './run-folder.ts'
import { requireTicket } from './ticket.ts'
import { openEngine, resume, type Trained, type TrainOptions } from './train.ts'

/** `reward`: folder of the new reward model, absolute. */
export async function resumeWith(folder: string, reward: string, options: TrainOptions): Promise<Trained> {
  const { record, config } = readRun(folder)
  if (record.status !== 'paused')
    throw new ConfigError(
      `--reward would be ignored: only a run that a mark paused takes another reward model, ${folder} is ${record.status}`,
    )
  const from = latestCheckpoint(folder)
  invariant(from, 'a run is paused at the checkpoint of a mark')
  const { step } = from.record
  const job = withReward(PpoJob.parse(config), { reward, step })
  if (job.judge === `reward:${reward}`)
    throw new ConfigError('--reward: expected another reward model than that of --judge, which cannot check itself')
  requireTicket(job)
  const mark = await judgeAgain(folder, job, options)
  if (mark.decision !== 'go on')
    throw new ConfigError(`--reward: ${reward} does not take the run on from step ${step}: ${mark.reason}`)
  commit(folder, { job, record, step })
  return resume(folder, options)
}

/** The config that goes on with another reward model; a continuation that was cut short began by writing it. */
function withReward(job: PpoJob, { reward, step }: { reward: string; step: number }): PpoJob {
  const { withoutTicket: _, earlierRewards = [], ...rest } = job
  const isBegun = earlierRewards.at(-1)?.until === step
  invariant(job.reward !== undefined, 'only a learned reward pauses a run')
  return {
    ...rest,
    reward,
    earlierRewards: isBegun ? earlierRewards : [...earlierRewards, { until: step, reward: job.reward }],
  }
}

/** The pending mark as the new reward model makes it. Writes nothing. */
async function judgeAgain(folder: string, job: PpoJob, { judge }: TrainOptions): Promise<MarkResult> {
  const from = latestCheckpoint(folder)!
  const { engine, releaseAll } = openEngine(job)
  try {
    const { recipe } = await preparePpo(job, {
      engine,
      run: folder,
      say: () => undefined,
      ...(judge && { judge }),
      resume: { saved: modelsOf(from), state: from.record.state },
      isDry: true,
    })
    const { value: first } = await recipe.next()
    invariant('kind' in first && first.kind === 'mark', 'a paused run begins with its pending mark')
    return first.mark
  } finally {
    await releaseAll()
  }
}

/** The config first: a process that dies between the two leaves a run that is still paused. */
function commit(folder: string, { job, record, step }: { job: PpoJob; record: RunRecord; step: number }): void {
  const { reward, ...inputs } = record.inputs
  const hold = holdFolder(folder)
  try {
    writeDurable(join(folder, 'config.json'), `${JSON.stringify(job, null, 2)}\n`)
    const next: RunRecord = {
      ...record,
      status: 'stopped',
      inputs: { ...inputs, ...(reward && { [`rewardUntil${step}`]: reward }) },
    }
    writeDurable(join(folder, 'run.json'), `${JSON.stringify(next, null, 2)}\n`)
  } finally {
    hold.release()
  }
}
