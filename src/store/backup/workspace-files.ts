// The files of a workspace that is in use. None is ever changed in place: they are written beside and renamed, or only grow.
// So what must be read is an order in which whatever a copy names is in the copy too: a run's record before what it made,
// its checkpoints before its logs (a log may be longer than a checkpoint says, never shorter), datasets before the artifacts
// they lie in. Left out: what is hidden (holds, half-written files) and the database, which is copied as rows.
import fs from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { DataError } from '#errors'
import { diskError, filesUnder, MANIFEST, type ManifestFile, verifyManifest, writeNew } from '#files'

const PIECE_BYTES = 1 << 20
/** At the top of a workspace: the cluster of its own Postgres. */
const DATABASE = 'postgres'

export type Copying = { files: number; bytes: number }

/** What there is to copy, before anything is: for a line of progress. */
export function sizeOfWorkspace(workspace: string): Copying {
  const size = { files: 0, bytes: 0 }
  for (const { path } of walk(workspace, '')) {
    const found = fs.statSync(join(workspace, path), { throwIfNoEntry: false })
    if (!found?.isFile()) continue
    size.files++
    size.bytes += found.size
  }
  return size
}

/** Copies the workspace's files into a new folder, hashed as they are read. */
export async function copyWorkspace(
  workspace: string,
  to: string,
  onCopied: (file: ManifestFile) => void,
): Promise<void> {
  const copy = async (path: string): Promise<void> => {
    const copied = copyFile(join(workspace, path), join(to, path))
    if (copied === undefined) return
    checkName(path, copied.sha256)
    onCopied({ path, ...copied })
    await turn()
  }
  let done = ''
  for (const { path, isFolder } of walk(workspace, '')) {
    if (done !== '' && path.startsWith(done)) continue
    if (!isFolder) await copy(path)
    else {
      fs.mkdirSync(join(to, path), { recursive: true })
      if (basename(path) !== 'checkpoints') continue
      await copySteps({ workspace, to, parent: path, copy })
      done = `${path}/`
    }
  }
}

const MOST_TRIES = 5

/** The newest checkpoint first: it is there longest. A run that trains removes the older ones while they are copied. */
async function copySteps(o: {
  workspace: string
  to: string
  parent: string
  copy: (path: string) => Promise<void>
}): Promise<void> {
  const folder = join(o.workspace, o.parent)
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const steps = list(folder).filter((name) => fs.existsSync(join(folder, name, MANIFEST)))
    const [newest, ...older] = steps.sort().reverse()
    if (newest === undefined) return
    if (!(await copyStep(o, newest))) continue
    for (const step of older) await copyStep(o, step)
    return
  }
  throw new DataError('gets checkpoints faster than they are copied: pause the run, then back up again', {
    file: folder,
  })
}

/** False: it was removed meanwhile, and nothing of it stays in the copy. */
async function copyStep(
  { workspace, to, parent, copy }: Parameters<typeof copySteps>[0],
  step: string,
): Promise<boolean> {
  const path = `${parent}/${step}`
  try {
    for (const file of filesUnder(join(workspace, path))) await copy(`${path}/${file}`)
    verifyManifest(join(to, path))
    return true
  } catch (error) {
    if (fs.existsSync(join(workspace, path, MANIFEST))) throw error
    fs.rmSync(join(to, path), { recursive: true, force: true })
    return false
  }
}

/** Undefined: it was removed since it was listed. What a growing file has when it is opened is what is copied. */
export function copyFile(from: string, to: string): { bytes: number; sha256: string } | undefined {
  let fd: number
  try {
    fd = fs.openSync(from, 'r')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new DataError('cannot be read', { file: from }, { cause })
  }
  try {
    fs.mkdirSync(dirname(to), { recursive: true })
    const { size, mode } = fs.fstatSync(fd)
    const written = writeNew(to, pieces(fd, size))
    // What is its owner's alone stays so: the key behind the secrets of webhooks.
    if ((mode & 0o077) === 0) fs.chmodSync(to, 0o600)
    return written
  } catch (cause) {
    throw diskError(cause, to)
  } finally {
    fs.closeSync(fd)
  }
}

/** An open file's first `most` bytes. */
export function* pieces(fd: number, most: number): Generator<Uint8Array> {
  for (let left = most; left > 0; ) {
    const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, left))
    const read = fs.readSync(fd, piece, 0, piece.byteLength, null)
    if (read === 0) return
    left -= read
    yield piece.subarray(0, read)
  }
}

type Found = { path: string; isFolder: boolean }

/** Every file and folder under a folder, in the order in which they are to be copied. Links are followed, circles refused. */
function* walk(root: string, path: string, within: readonly string[] = []): Generator<Found> {
  const folder = join(root, path)
  const real = fs.realpathSync(folder)
  if (within.includes(real)) throw new DataError('is a link to a folder that it lies in', { file: folder })
  // Listed anew for each rank: what a later one needs may have come meanwhile.
  for (const rank of [FIRST, USUAL, LAST])
    for (const name of list(folder)) {
      if (name.startsWith('.') || (path === '' && name === DATABASE) || rankOf(name) !== rank) continue
      const found = fs.statSync(join(folder, name), { throwIfNoEntry: false })
      const inner = path === '' ? name : `${path}/${name}`
      if (found?.isFile()) yield { path: inner, isFolder: false }
      if (!found?.isDirectory()) continue
      yield { path: inner, isFolder: true }
      yield* walk(root, inner, [...within, real])
    }
}

const [FIRST, USUAL, LAST] = [0, 1, 2]

function rankOf(name: string): number {
  if (['datasets', 'run.json', 'config.json'].includes(name)) return FIRST
  return name === 'artifacts' || /^(metrics|samples|clock)\.jsonl$|^log\.txt$/.test(name) ? LAST : USUAL
}

function list(folder: string): string[] {
  try {
    return fs.readdirSync(folder)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new DataError('cannot be read', { file: folder }, { cause })
  }
}

/** An artifact is named by its content. */
function checkName(path: string, sha256: string): void {
  if (!/^artifacts\/[0-9a-f]{2}\/[0-9a-f]{64}$/.test(path) || basename(path) === sha256) return
  throw new DataError(`expected content of its name, got sha256 ${sha256}; the file is damaged`, { file: path })
}
