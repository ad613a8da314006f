// A training run in a process of its own, to be killed: begins it or goes on with it, a line on standard output for each
// step and checkpoint. With a point named, it kills itself there, in the save of checkpoint `save`; with a budget of bytes,
// its disk is full once they are written.
// node --import tsx trials/worlds/run-child.ts '{"run","files","recipe","steps","checkpointEvery","changes"?,"killAt"?,"save"?,"diskBytes"?}'
import fs from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Job, resume, train } from '#trainer'
import { preferLonger, type RecipeName, smallJob } from './small-run.ts'

export type ChildOrder = {
  run: string
  files: string
  recipe: RecipeName
  steps: number
  checkpointEvery: number
  /** Of the recipe's small job. */
  changes?: Partial<Job>
  killAt?: KillPoint
  /** Which save of this process, from 1. */
  save?: number
  diskBytes?: number
}

/** Places inside a save and at the end of a run. `after-rename`: before the parent folder is synced. */
export const KILL_POINTS = [
  'before-data',
  'mid-data',
  'before-fsync',
  'before-manifest',
  'before-rename',
  'after-rename',
  'model-before-rename',
] as const
export type KillPoint = (typeof KILL_POINTS)[number]

/** Watches the disk calls that files makes; they all go through the object that `node:fs` exports. */
function killInSave(point: KillPoint, save: number): void {
  const { openSync, writeSync, fsyncSync, renameSync } = fs
  const pathOf = new Map<number, string>()
  const die = () => process.kill(process.pid, 'SIGKILL')
  const isWeights = (path: string) => /checkpoints\/\.\d+\.writing.*model\.safetensors$/.test(path)
  let saves = 0
  const now = (at: KillPoint) => point === at && saves === save
  fs.openSync = ((path: string, flags?: string) => {
    if (flags === 'wx' && /checkpoints\/\.\d+\.writing.*\/(adapter_)?config\.json$/.test(path)) {
      // Of PPO's two models the policy is saved first.
      if (!path.includes('critic')) saves++
      if (now('before-data')) die()
    }
    if (flags === 'wx' && /checkpoints\/.*manifest\.json$/.test(path) && now('before-manifest')) die()
    const fd = openSync(path, flags as string)
    pathOf.set(fd, path)
    return fd
  }) as typeof fs.openSync
  fs.writeSync = ((fd: number, data: Uint8Array, offset: number, length: number) => {
    if (isWeights(pathOf.get(fd) ?? '') && now('mid-data')) {
      writeSync(fd, data, offset, Math.floor(length / 2))
      die()
    }
    return writeSync(fd, data, offset, length)
  }) as typeof fs.writeSync
  fs.fsyncSync = (fd) => {
    if (isWeights(pathOf.get(fd) ?? '') && now('before-fsync')) die()
    fsyncSync(fd)
  }
  fs.renameSync = (from, to) => {
    const isCheckpoint = /checkpoints\/\d+$/.test(String(to))
    if (isCheckpoint && now('before-rename')) die()
    if (point === 'model-before-rename' && String(to).endsWith('/model') && !String(to).includes('.writing')) die()
    renameSync(from, to)
    if (isCheckpoint && now('after-rename')) die()
  }
}

/** A disk that has room for so many bytes. */
function limitDisk(bytes: number): void {
  const { writeSync } = fs
  let left = bytes
  fs.writeSync = ((fd: number, data: Uint8Array, offset: number, length: number) => {
    left -= length
    if (left < 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
    return writeSync(fd, data, offset, length)
  }) as typeof fs.writeSync
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const {
    run,
    files,
    recipe,
    changes,
    killAt,
    save = 1,
    diskBytes,
    ...length
  } = JSON.parse(process.argv[2]!) as ChildOrder
  process.env.HONE_CACHE = `${run}-cache`
  if (killAt) killInSave(killAt, save)
  if (diskBytes !== undefined) limitDisk(diskBytes)
  const options = {
    hone: 'trial',
    judge: preferLonger,
    onProgress: (event: { kind: string; step: number }) => console.log(`${event.kind} ${event.step}`),
  }
  try {
    console.log('start 0')
    await (fs.existsSync(join(run, 'run.json'))
      ? resume(run, options)
      : train({ ...smallJob(recipe, files, length), ...changes } as Job, run, options))
    console.log('done 0')
  } catch (error) {
    console.log(`failed ${(error as Error).name}: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
