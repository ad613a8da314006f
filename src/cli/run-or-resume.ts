// A run that a command of several makes: begun, gone on with, or taken as it is when it is done. So a command that was stopped
// or killed goes on where it was.
import fs from 'node:fs'
import { join } from 'node:path'
import type { Outcome } from '#align'
import { readCard, readRun, resume, type Trained, type TrainOptions } from '#trainer'
import { Stopped } from './stop.ts'

export async function runOrResume(
  folder: string,
  options: TrainOptions,
  begin: (options: TrainOptions) => Promise<Trained>,
): Promise<Trained> {
  const isBegun = fs.existsSync(join(folder, 'run.json'))
  // One that a mark paused has left what its rule keeps, and the chain evaluates that.
  if (isBegun && ['done', 'paused'].includes(readRun(folder).record.status)) return finishedRun(folder)
  const trained = isBegun ? await resume(folder, options) : await begin(options)
  if (!trained.finished) throw new Stopped(`${trained.outcome.reason}; the same command goes on from here`)
  return trained
}

function finishedRun(folder: string): Trained {
  const { record } = readRun(folder)
  const model = join(folder, 'model')
  const reward = readCard(model)?.reward
  return { folder, model, outcome: record.outcome as unknown as Outcome, finished: true, ...(reward && { reward }) }
}
