// A second opener of a workspace or of a run: refused at once, told who holds it; after the holder's SIGKILL the next may.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { DataError } from '#errors'
import { holdFolder } from '#files'
import { makeEmptyWorkspace, startServing } from '../worlds/visitors.ts'
import { compare, milliseconds, type Outcome } from './outcome.ts'

const HONE = join(import.meta.dirname, '../../scripts/hone.mjs')

export async function openers({ rounds }: { rounds: number }): Promise<Outcome> {
  const workspace = makeEmptyWorkspace()
  const failures: string[] = []
  const asked: number[] = []
  const whole: number[] = []
  const opened: number[] = []
  const open = async () => {
    const before = performance.now()
    const served = await startServing(workspace)
    opened.push(performance.now() - before)
    return served
  }
  for (let round = 0; round < rounds; round++) {
    const first = await open()
    asked.push(refusal(workspace, first.process, failures))
    const began = performance.now()
    const second = spawn(process.execPath, [HONE, 'serve', '--dir', workspace, '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    second.stderr.on('data', (piece: Buffer) => (said += piece.toString()))
    const [code] = (await once(second, 'close')) as [number]
    whole.push(performance.now() - began)
    compare(failures, 'exit code of the second', code, 1)
    if (!said.includes(`is in use by process ${first.process.pid} on`)) failures.push(`the second said: ${said}`)
    const closed = once(first.process, 'close')
    first.process.kill('SIGKILL')
    await closed
  }
  const last = await open()
  compare(failures, 'exit code of the last', await last.stop(), 0)
  const run = join(workspace, 'runs', 'held')
  fs.mkdirSync(run)
  const holder = await holderOf(run)
  asked.push(refusal(run, holder, failures))
  const gone = once(holder, 'close')
  holder.kill('SIGKILL')
  await gone
  holdFolder(run).release()
  fs.rmSync(workspace, { recursive: true, force: true })
  const figures = [
    `${rounds} times: refused after ${Math.max(...asked).toFixed(1)} ms at most, naming the process; ` +
      `the whole second command ${whole.map(milliseconds).join(', ')}`,
    `after the holder's SIGKILL the next serves after ${opened.slice(1).map(milliseconds).join(', ')}`,
  ]
  return { figures, failures }
}

/** How long it takes to be refused, in milliseconds. */
function refusal(folder: string, holder: ChildProcess, failures: string[]): number {
  const began = performance.now()
  try {
    holdFolder(folder).release()
    failures.push(`${folder} was held twice`)
  } catch (error) {
    const message = error instanceof DataError ? error.message : String(error)
    if (!message.includes(`process ${holder.pid} on`)) failures.push(`refused with: ${message}`)
  }
  return performance.now() - began
}

async function holderOf(folder: string): Promise<ChildProcess> {
  const files = join(import.meta.dirname, '../../src/files/index.ts')
  const script = `const { holdFolder } = await import(${JSON.stringify(files)})
    holdFolder(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}
