// Around every command that works in a workspace whose artifacts are in a bucket: before it the folder has what it lacks, and
// afterwards the bucket. Without a bucket nothing is done, and nothing is loaded.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { output } from './output.ts'

/** They do it themselves, or say what hinders it. */
const ALONE = ['artifacts', 'doctor']
/** It sends while it runs, and its end is not to wait for a bucket that is away. */
const SERVE = 'serve'

/** @throws what hinders the bucket, where something is to be got. */
export async function bringBefore(command: Command): Promise<void> {
  const workspace = workspaceWithBucket(command)
  if (workspace === undefined) return
  const { fillFolder } = await import('#bucket')
  const out = output(command.opts())
  const { files, bytes } = await fillFolder(workspace, (done) => out.progress(moving('got', done)))
  if (files > 0) out.warn(`got ${countOf(files)}, ${megabytes(bytes)}, that this folder lacked`)
}

/** What the command made is whole in the folder: where the bucket cannot be reached it is said, and goes with a later command. */
export async function sendAfter(command: Command): Promise<void> {
  const workspace = command.name() === SERVE ? undefined : workspaceWithBucket(command)
  if (workspace === undefined) return
  const { notSent, sendArtifacts } = await import('#bucket')
  const out = output(command.opts())
  try {
    await sendArtifacts(workspace, { onMoved: (done) => out.progress(moving('sent', done)) })
    out.endProgress()
  } catch (error) {
    out.warn(`${notSent(workspace, error)}; the next command in this workspace sends them, or hone artifacts send`)
  }
}

type Moving = { files: number; bytes: number; of: { files: number; bytes: number } }

/** `3 of 12 artifacts got, 1.2 of 4.0 MB` */
export function moving(done: string, { files, bytes, of }: Moving): string {
  return `${files} of ${countOf(of.files)} ${done}, ${megabytes(bytes)} of ${megabytes(of.bytes)}`
}

export const countOf = (files: number): string => `${files} ${files === 1 ? 'artifact' : 'artifacts'}`

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

/** The nearest folder with a hone.json, if that names a bucket; whether it says so rightly is seen where it is followed. */
function workspaceWithBucket(command: Command): string | undefined {
  for (let at: Command | null = command; at; at = at.parent) if (ALONE.includes(at.name())) return undefined
  const { dir } = command.opts<{ dir?: unknown }>()
  if (typeof dir === 'string') return namesBucket(dir) ? dir : undefined
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const isNamed = namesBucket(folder)
    if (isNamed !== undefined) return isNamed ? folder : undefined
    if (dirname(folder) === folder) return undefined
  }
}

/** Undefined: no workspace. */
function namesBucket(folder: string): boolean | undefined {
  try {
    return readFileSync(join(folder, 'hone.json'), 'utf8').includes('"artifacts"')
  } catch {
    return undefined
  }
}
