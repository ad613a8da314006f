// One writer a folder. A hold is a file `.hold-N` that says who: created whole by a hard link, which fails if another
// process made the same N first. The hold of a dead process is passed over by taking N+1; two that race for it reach
// for the same N, so one wins. After taking, each looks again and withdraws if another living hold is there.
import fs from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { DataError } from '#errors'
import { diskError, temporaryName } from './disk.ts'

export type Holder = { pid: number; host: string; since: string; born: string }
export type Hold = { release(): void }

/** Takes the folder for this process until `release` or its death. Held by a living process: a DataError at once, naming it. */
export function holdFolder(folder: string): Hold {
  const temporary = join(folder, temporaryName('hold'))
  const me: Holder = { pid: process.pid, host: hostname(), since: new Date().toISOString(), born: bornOf(process.pid) }
  try {
    fs.writeFileSync(temporary, JSON.stringify(me))
    for (;;) {
      const number = refuseHeld(folder) + 1
      const mine = join(folder, `.hold-${number}`)
      try {
        fs.linkSync(temporary, mine)
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue // lost a race: look who won
        throw cause
      }
      return settle(folder, mine)
    }
  } catch (cause) {
    throw diskError(cause, folder)
  } finally {
    fs.rmSync(temporary, { force: true })
  }
}

/** True while a process of that id runs on this machine. One that ended and was never waited for (the first process of a container often waits for nobody) runs no more. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM'
  }
  return statOf(pid)?.state !== 'Z'
}

/** Whether a living process holds the folder; one that is not there is held by nobody. */
export function isFolderHeld(folder: string): boolean {
  if (!fs.existsSync(folder)) return false
  return holds(folder).some(({ file }) => {
    const holder = readHolder(file)
    return holder !== undefined && isLiving(holder)
  })
}

function settle(folder: string, mine: string): Hold {
  const release = () => fs.rmSync(mine, { force: true })
  try {
    refuseHeld(folder, mine)
  } catch (error) {
    release()
    throw error
  }
  for (const { file } of holds(folder)) if (file !== mine) fs.rmSync(file, { force: true })
  return { release }
}

/** The highest number among dead holds, 0 if none; a living one other than `mine` is refused. */
function refuseHeld(folder: string, mine?: string): number {
  let highest = 0
  for (const { file, number } of holds(folder)) {
    if (file === mine) continue
    const holder = readHolder(file)
    if (holder && isLiving(holder))
      throw new DataError(
        `is in use by process ${holder.pid} on ${holder.host} since ${holder.since}; wait for it or end it` +
          (holder.host === hostname() ? '' : `, or remove ${file} if that machine is gone`),
        { file: folder },
      )
    highest = Math.max(highest, number)
  }
  return highest
}

function holds(folder: string): { file: string; number: number }[] {
  return fs
    .readdirSync(folder)
    .filter((name) => /^\.hold-\d+$/.test(name))
    .map((name) => ({ file: join(folder, name), number: Number(name.slice('.hold-'.length)) }))
}

/** Undefined: gone meanwhile, or no holder's words (a damaged file holds nothing). */
function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8')) as Holder
  } catch {
    return undefined
  }
}

/** A process of another machine cannot be asked: it counts as living. Born tells a process from a later one of the same id. */
function isLiving({ pid, host, born }: Holder): boolean {
  if (host !== hostname()) return true
  return isAlive(pid) && born === bornOf(pid)
}

/** Boot of the machine and start of the process, where /proc tells (Linux); else empty. */
function bornOf(pid: number): string {
  const stat = statOf(pid)
  return stat ? `${fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${stat.start}` : ''
}

/** proc(5): state (Z: ended, not waited for) and start in ticks since the boot; undefined where there is no /proc, or no such process. */
function statOf(pid: number): { state: string; start: string } | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Fields 3 and 22, counted after the command's closing bracket because a command may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, start: fields[19]! }
  } catch {
    return undefined
  }
}
