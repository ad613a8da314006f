import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DataError } from '#errors'
import { holdFolder, isAlive } from './hold.ts'

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'hone-hold-'))
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  fs.rmSync(folder, { recursive: true, force: true })
})

/** A process that takes the hold, says whether it got it, and stays. */
async function contender(): Promise<{ child: ChildProcess; isHolder: boolean }> {
  const script = `
    const { holdFolder } = await import(${JSON.stringify(join(import.meta.dirname, 'hold.ts'))})
    try { holdFolder(${JSON.stringify(folder)}); console.log('held') } catch (error) { console.log(error.name) }
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  const [said] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, isHolder: said.toString().trim() === 'held' }
}

test('a second opener is refused at once and told who holds', () => {
  const hold = holdFolder(folder)
  expect(() => holdFolder(folder)).toThrow(DataError)
  expect(() => holdFolder(folder)).toThrow(`in use by process ${process.pid} on`)
  hold.release()
  expect(fs.readdirSync(folder)).toEqual([])
  holdFolder(folder).release()
})

test('of several processes at the same time one holds; after its death another may', async () => {
  const tried = await Promise.all([contender(), contender(), contender()])
  const holders = tried.filter((t) => t.isHolder)
  expect(holders).toHaveLength(1)
  expect(() => holdFolder(folder)).toThrow(`process ${holders[0]!.child.pid}`)
  holders[0]!.child.kill('SIGKILL')
  await once(holders[0]!.child, 'exit')
  const hold = holdFolder(folder)
  expect(fs.readdirSync(folder)).toEqual(['.hold-2'])
  hold.release()
})

test('a hold of a process id that was used again, a damaged one and one of another machine', () => {
  const me = { pid: process.pid, host: 'here', since: 'then', born: 'another boot' }
  const put = (text: string) => fs.writeFileSync(join(folder, '.hold-1'), text)
  put('{"pid":')
  holdFolder(folder).release()
  put(JSON.stringify(me))
  expect(() => holdFolder(folder)).toThrow('if that machine is gone')
  fs.rmSync(join(folder, '.hold-1'))
  const hold = holdFolder(folder)
  const written = JSON.parse(fs.readFileSync(join(folder, '.hold-1'), 'utf8')) as Record<string, unknown>
  hold.release()
  put(JSON.stringify({ ...written, born: 'another boot 12' }))
  holdFolder(folder).release()
})

test.runIf(process.platform === 'linux')('a process that ended and was never waited for holds nothing', async () => {
  // The shell becomes a sleep, which waits for nobody.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(parent)
  const pid = Number(String((await once(parent.stdout!, 'data'))[0]))
  const stat = () => fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  const born = `${boot} ${stat()[19]}`
  fs.writeFileSync(join(folder, '.hold-1'), JSON.stringify({ pid, host: hostname(), since: 'then', born }))
  expect(() => holdFolder(folder)).toThrow(`in use by process ${pid}`)
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => stat()[0]).toBe('Z')
  expect(isAlive(pid)).toBe(false)
  holdFolder(folder).release()
})

test('a folder that is not there is a DataError', () => {
  expect(() => holdFolder(join(folder, 'none'))).toThrow(DataError)
})
