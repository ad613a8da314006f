// Postgres refuses to run as root: so root runs it as another account. Where that account may not enter the folders, it
// keeps one right of root's, to pass them (CAP_DAC_OVERRIDE, by setpriv), and nothing else.
import { type ChildProcess, spawn, spawnSync, type StdioOptions } from 'node:child_process'
import fs from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError } from '#errors'

export type Account = { uid: number; gid: number; isKept: boolean }

/** Who runs Postgres: undefined means this account; as root, `postgres` where there is one, else `nobody`. */
export function accountFor(paths: readonly string[]): Account | undefined {
  if (process.getuid?.() !== 0) return undefined
  const lines = fs.readFileSync('/etc/passwd', 'utf8').split('\n')
  const found = ['postgres', 'nobody'].map((name) => lines.find((line) => line.startsWith(`${name}:`))).find(Boolean)
  if (found === undefined)
    throw new ConfigError(
      'Postgres refuses root, and there is no account nobody: run hone as another user, or set DATABASE_URL',
    )
  const [, , uid, gid] = found.split(':').map(Number) as [number, number, number, number]
  const blocked = paths.flatMap(ancestors).find((folder) => !mayEnter(folder, uid, gid))
  if (blocked !== undefined && spawnSync('setpriv', [...PASSING, 'true']).status !== 0)
    throw new ConfigError(
      `Postgres refuses root, and ${found.split(':')[0]} may not enter ${blocked}: run hone as another user, ` +
        `open that folder (chmod o+x ${blocked}), or set DATABASE_URL`,
    )
  return { uid, gid, isKept: blocked !== undefined }
}

/** Without no_setuid_fixup access(2), by which initdb looks for its own program, would leave the right out of account. */
const PASSING = ['--securebits=+no_setuid_fixup', '--inh-caps=+dac_override', '--ambient-caps=+dac_override']

/** Spawns the program as that account. */
export function asAccount(
  program: string,
  args: readonly string[],
  { account, stdio, detached = false }: { account: Account | undefined; stdio: StdioOptions; detached?: boolean },
): ChildProcess {
  // None of this process's secrets reach it.
  const env = { PATH: process.env.PATH ?? '', LC_ALL: 'C', TZ: 'UTC' }
  const common = { cwd: '/', stdio, detached, env }
  if (!account) return spawn(program, args, common)
  const { uid, gid, isKept } = account
  if (!isKept) return spawn(program, args, { ...common, uid, gid })
  const flags = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', ...PASSING]
  return spawn('setpriv', [...flags, program, ...args], common)
}

function ancestors(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...ancestors(parent)]
}

function mayEnter(folder: string, uid: number, gid: number): boolean {
  const stat = fs.statSync(folder, { throwIfNoEntry: false })
  if (!stat) return true
  const shift = stat.uid === uid ? 6 : stat.gid === gid ? 3 : 0
  return ((stat.mode >> shift) & 1) === 1
}
