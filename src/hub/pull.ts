// A model by its name: what the Hub lists, file by file into the shared cache, and on demand as a folder of its own. The
// revision's ref is written last, so that no tool takes half a model for a whole one on our word.
import fs from 'node:fs'
import { join } from 'node:path'
import { holdFolder, refuseFull, writeWholeFolder } from '#files'
import { linkBlob, openCache, snapshotPath, writeRef } from './cache.ts'
import { describeFile, download } from './download.ts'
import type { Hub } from './environment.ts'
import { choose, INDEX, list, parseReference, shardsOf } from './repository.ts'

export type PulledFile = { name: string; bytes: number; hash: string }
/** `folder`: a model folder, in the cache or the one asked for. `receivedBytes`: over the network; the rest was there. */
export type Pulled = { name: string; commit: string; folder: string; files: PulledFile[]; receivedBytes: number }
/** Bytes of `file` that are there, of `size`. */
export type PullProgress = { file: string; received: number; size: number }

/** Fetches `NAME[@REVISION]`. `to` must not exist; it is written whole or not at all, of copies. After an error or an abort the same call goes on. */
export async function pull(
  hub: Hub,
  given: string,
  o: { to?: string; onProgress?: (progress: PullProgress) => void; signal?: AbortSignal } = {},
): Promise<Pulled> {
  const reference = parseReference(given)
  // Before gigabytes come, not after.
  if (o.to !== undefined) refuseFull(o.to)
  const listing = await list(hub, reference, o.signal)
  const names = choose(reference, listing)
  const folder = openCache(hub.cache, reference)
  const { commit } = listing
  const files: PulledFile[] = []
  let receivedBytes = 0
  const hold = holdFolder(folder.path)
  try {
    // `names` grows by the shards when the index is there.
    for (const name of names) {
      const file = await describeFile(hub, { model: reference.name, commit, name, signal: o.signal })
      const onBytes = (received: number) => o.onProgress?.({ file: name, received, size: file.size })
      const { blob, bytes } = await download(hub, file, { folder, onBytes, signal: o.signal })
      receivedBytes += bytes
      files.push({ name, bytes: file.size, hash: file.hash })
      if (name === INDEX) names.push(...shardsOf(fs.readFileSync(blob, 'utf8'), listing, file.address))
      linkBlob(folder, { commit, name, blob })
    }
    writeRef(folder, reference, commit)
  } finally {
    hold.release()
  }
  const snapshot = snapshotPath(folder, commit)
  if (o.to !== undefined) copy(files, { from: snapshot, to: o.to })
  return { name: reference.name, commit, folder: o.to ?? snapshot, files, receivedBytes }
}

function copy(files: PulledFile[], { from, to }: { from: string; to: string }): void {
  writeWholeFolder(to, (temporary) => {
    for (const { name } of files)
      fs.copyFileSync(join(from, name), join(temporary, name), fs.constants.COPYFILE_FICLONE)
  })
}
