// One set-up at a time, by a file that holds the process's number.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/** Runs task alone: a second set-up waits, and finds the work done. The lock of a process that has died is taken over. */
export async function withLock(file, task) {
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, String(process.pid))
  try {
    for (let hasSaid = false; !tryLink(mine, file); hasSaid = true) {
      const holder = readHolder(file)
      if (holder !== undefined && !isAlive(holder)) {
        try {
          renameSync(file, `${mine}.stale`)
        } catch {
          continue // another process took it over
        }
        // Another may have taken it over between our look and our move: then it gets its lock back.
        if (readHolder(`${mine}.stale`) !== holder) tryLink(`${mine}.stale`, file)
        rmSync(`${mine}.stale`)
        continue
      }
      if (!hasSaid) console.log(`setup  waits for another set-up (process ${holder ?? 'unknown'})`)
      await new Promise((r) => setTimeout(r, 200))
    }
  } finally {
    rmSync(mine)
  }
  try {
    await task()
  } finally {
    rmSync(file, { force: true })
  }
}

function tryLink(mine, file) {
  try {
    linkSync(mine, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, 'utf8'))
  } catch {
    return undefined // released meanwhile
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
