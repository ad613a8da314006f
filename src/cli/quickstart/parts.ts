// Parts that need nothing of each other run as second processes, one thread each: two small models at once use two cores
// better than one model on both.
import { type ChildProcess, spawn } from 'node:child_process'
import fs from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeDurable } from '#files'
import { Stopped } from '../stop.ts'
import { continueUnbudgeted, reinforce } from './reinforce.ts'
import { bestOfN } from './reward-model.ts'
import type { Stage } from './stage.ts'
import { setThreads } from '#torch'

export const PARTS = ['best-of-n', 'without-rules', 'unbudgeted'] as const
export type Part = (typeof PARTS)[number]

const COMMAND = fileURLToPath(new URL('../../../scripts/hone.mjs', import.meta.url))

/** In a part's process: ends it when the quickstart that started it was killed, so that the same command can go on at once. One that is stopping saves first. */
export function endWithParent(signal: AbortSignal): void {
  process.stdin.on('end', () => !signal.aborted && process.exit(1)).resume()
  // The open pipe alone is no reason to go on once the part is done.
  if (process.stdin instanceof Socket) process.stdin.unref()
}

/** In a part's process: takes as many threads as the quickstart gives it. */
export function takeThreads(): void {
  process.on('message', (threads: number) => setThreads(threads))
  process.channel?.unref()
}

const running = new Set<ChildProcess>()

/** To the parts that run: once nothing runs beside them they may take all threads, since bits do not depend on their number. */
export function giveThreads(threads: number): void {
  for (const child of running) if (child.connected) child.send(threads)
}

/** Runs the part in this process and leaves its result in steps/part-NAME.json. */
export async function runPart(stage: Stage, part: Part): Promise<void> {
  writeDurable(resultFile(stage, part), JSON.stringify((await work(stage, part)) ?? null))
}

/** Starts the part as a process of its own, unless its result is there; answers the result. */
export async function startPart(stage: Stage, part: Part): Promise<unknown> {
  const file = resultFile(stage, part)
  if (!fs.existsSync(file)) await spawnPart(stage, part)
  return JSON.parse(fs.readFileSync(file, 'utf8')) as unknown
}

function resultFile({ dir }: Stage, part: Part): string {
  return join(dir, 'steps', `part-${part}.json`)
}

async function work(stage: Stage, part: Part): Promise<unknown> {
  switch (part) {
    case 'best-of-n':
      return bestOfN(stage)
    case 'without-rules':
      await reinforce(stage, 'ppo-no-rules')
      return undefined
    case 'unbudgeted':
      await continueUnbudgeted(stage)
      return undefined
    default:
      return part satisfies never
  }
}

async function spawnPart({ dir, signal }: Stage, part: Part): Promise<void> {
  const log = fs.openSync(join(dir, 'steps', `part-${part}.log`), 'a')
  const child = spawn(process.execPath, [COMMAND, 'quickstart', '--dir', dir, '--part', part], {
    stdio: ['pipe', log, log, 'ipc'],
    env: { ...process.env, HONE_THREADS: '1' },
  })
  fs.closeSync(log)
  running.add(child)
  const onAbort = () => child.kill('SIGINT')
  signal?.addEventListener('abort', onAbort)
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.on('exit', done)
      child.on('error', fail)
    })
    if (code === 130) throw new Stopped('stopped; the same command goes on from here')
    if (code !== 0)
      throw new Error(
        `the part ${part} of the quickstart failed with exit code ${code}; see ${join(dir, 'steps', `part-${part}.log`)}`,
      )
  } finally {
    running.delete(child)
    signal?.removeEventListener('abort', onAbort)
  }
}
