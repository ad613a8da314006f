// The cache that huggingface_hub, transformers and vLLM share: `models--<owner>--<name>` with `blobs` named by hash, `refs`
// from revision to commit, and `snapshots/<commit>` of links to blobs
// (https://huggingface.co/docs/huggingface_hub/guides/manage-cache). A partial blob ends in .incomplete, and whichever
// tool comes next goes on with it.
import fs from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { diskError, writeDurable } from '#files'
import type { Reference } from './repository.ts'

export type CacheFolder = { path: string; blobs: string }

/** Makes what is missing of a model's folder. */
export function openCache(cache: string, { name }: Reference): CacheFolder {
  const path = join(cache, `models--${name.replaceAll('/', '--')}`)
  const blobs = join(path, 'blobs')
  try {
    fs.mkdirSync(blobs, { recursive: true })
  } catch (cause) {
    throw diskError(cause, blobs)
  }
  return { path, blobs }
}

export function snapshotPath({ path }: CacheFolder, commit: string): string {
  return join(path, 'snapshots', commit)
}

/** Puts a blob into a snapshot under its name; what had that name before is replaced. */
export function linkBlob(folder: CacheFolder, o: { commit: string; name: string; blob: string }): void {
  const link = join(snapshotPath(folder, o.commit), o.name)
  const target = relative(dirname(link), o.blob)
  try {
    fs.mkdirSync(dirname(link), { recursive: true })
    const temporary = `${link}.${process.pid}.linking`
    fs.rmSync(temporary, { force: true })
    fs.symlinkSync(target, temporary)
    fs.renameSync(temporary, link)
  } catch (cause) {
    throw diskError(cause, link)
  }
}

/** Says which commit a branch or tag stood for. A commit needs no saying. */
export function writeRef({ path }: CacheFolder, { revision }: Reference, commit: string): void {
  if (revision === commit) return
  const file = join(path, 'refs', revision)
  try {
    fs.mkdirSync(dirname(file), { recursive: true })
  } catch (cause) {
    throw diskError(cause, file)
  }
  writeDurable(file, commit)
}
