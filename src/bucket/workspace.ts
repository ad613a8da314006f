// Ways between a workspace's folder and its bucket. Everything is made in the folder and read from there, as without a bucket; the
// bucket has what lasts.
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError } from '#errors'
import { artifactPath, makeFolder, moveDurable, temporaryFolder } from '#files'
import {
  hasMet,
  lacksNothing,
  listed,
  type Moved,
  note,
  noteSent,
  type OnMoved,
  sentTo,
  sumOf,
  unsentTo,
} from './known.ts'
import { getObject, inParallel, PART_BYTES, putObject, type Stored, writerTo } from './objects.ts'
import { type Bucket, bucketAt } from './place.ts'
import { probeBucket } from './probe.ts'
import { bucketOf, mustHaveBucket, readSettings, writeSettings } from './settings.ts'

/** Of small ones; of those that go in parts one, whose parts go at once. */
const FILES_AT_ONCE = 8
const SEND_EVERY_MS = 10_000

/** What is made is there only once the bucket has it: call this before anything names it. */
export async function sendArtifact(workspace: string, hash: string): Promise<void> {
  const bucket = bucketOf(workspace)
  if (!bucket || sentTo(workspace, bucket).has(hash)) return
  await putObject(bucket, artifactPath(workspace, hash), { hash })
  noteSent(workspace, bucket, [hash])
}

/** Sends what the bucket is not known to have. Without a bucket nothing. */
export async function sendArtifacts(
  workspace: string,
  { onMoved = () => {}, signal }: { onMoved?: OnMoved; signal?: AbortSignal } = {},
): Promise<Moved> {
  const found = bucketOf(workspace)
  const done = { files: 0, bytes: 0 }
  if (!found) return done
  const bucket = signal ? { ...found, signal } : found
  if (!hasMet(workspace, bucket)) note(workspace, bucket, await listed(bucket))
  const left = unsentTo(workspace, bucket)
  const of = sumOf(left)
  await eachStored(left, async ({ hash, bytes }) => {
    await putObject(bucket, artifactPath(workspace, hash), { hash })
    noteSent(workspace, bucket, [hash])
    done.files++
    done.bytes += bytes
    onMoved({ ...done, of })
  })
  return done
}

/** What is in the folder and not known to be in the bucket. */
export function unsentArtifacts(workspace: string): Moved {
  const bucket = bucketOf(workspace)
  return sumOf(bucket ? unsentTo(workspace, bucket) : [])
}

/** Gets what the bucket has and the folder lacks, each held to its name before it has it. */
export async function bringArtifacts(workspace: string, onMoved: OnMoved = () => {}): Promise<Moved> {
  const bucket = bucketOf(workspace)
  const done = { files: 0, bytes: 0 }
  if (!bucket) return done
  const there = await listed(bucket)
  const lacking = there.filter(({ hash }) => !fs.existsSync(artifactPath(workspace, hash)))
  const of = sumOf(lacking)
  makeFolder(join(workspace, 'artifacts'))
  const temporary = temporaryFolder(join(workspace, 'artifacts', 'bring'))
  try {
    await eachStored(lacking, async ({ hash }) => {
      done.bytes += await bring(workspace, bucket, { hash, temporary })
      done.files++
      onMoved({ ...done, of })
    })
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
  // Last: what stopped half way begins with a listing again.
  note(workspace, bucket, there)
  return done
}

/** Makes the folder whole before it is worked on: all of the bucket when the two first meet, and when a version names what is not here. */
export async function fillFolder(workspace: string, onMoved?: OnMoved): Promise<Moved> {
  const bucket = bucketOf(workspace)
  if (!bucket || (hasMet(workspace, bucket) && lacksNothing(workspace))) return { files: 0, bytes: 0 }
  return bringArtifacts(workspace, onMoved)
}

/** Sends all of a workspace's artifacts to a bucket, and from then on says that they are there. */
export async function moveToBucket(workspace: string, address: string, onMoved?: OnMoved): Promise<Moved> {
  const settings = readSettings(workspace)
  if (settings.artifacts !== undefined)
    throw new ConfigError(`artifacts are in ${settings.artifacts} already: move them to the folder first`)
  const bucket = bucketAt(address)
  await probeBucket(bucket)
  // Said first: what others make meanwhile goes there too. Should the sending stop, the next command goes on with it.
  writeSettings(workspace, { ...settings, artifacts: bucket.url })
  return sendArtifacts(workspace, onMoved && { onMoved })
}

/** Gets all that the bucket has, and from then on says that artifacts are in the folder. The bucket stays as it is. */
export async function moveToFolder(workspace: string, onMoved?: OnMoved): Promise<Moved> {
  mustHaveBucket(workspace)
  const moved = await bringArtifacts(workspace, onMoved)
  const { artifacts: _, ...settings } = readSettings(workspace)
  writeSettings(workspace, settings)
  return moved
}

/** While a server runs: what was made and not yet sent goes within seconds. `say` is told when it fails and when it goes again. */
export function keepSending(
  workspace: string,
  say: (words: string) => void,
  { everyMs = SEND_EVERY_MS }: { everyMs?: number } = {},
): { close(): Promise<void> } {
  const over = new AbortController()
  let isFailing = false
  const sending = (async () => {
    while (!over.signal.aborted) {
      try {
        await sendArtifacts(workspace, { signal: over.signal })
        if (isFailing) say('artifacts are sent again, and none is left')
        isFailing = false
      } catch (error) {
        if (!isFailing && !over.signal.aborted) say(notSent(workspace, error))
        isFailing = true
      }
      await sleep(everyMs, undefined, { signal: over.signal, ref: false }).catch(() => {})
    }
  })()
  return {
    async close() {
      over.abort()
      await sending
    },
  }
}

/** In words; what is not sent is whole in the folder. */
export function notSent(workspace: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return `artifacts wait in ${join(workspace, 'artifacts')} to be sent: ${reason}`
}

/** Into the folder, by way of a temporary one. */
export async function bring(
  workspace: string,
  bucket: Bucket,
  { hash, temporary }: { hash: string; temporary: string },
): Promise<number> {
  const path = artifactPath(workspace, hash)
  const file = join(temporary, hash)
  const fd = fs.openSync(file, 'wx')
  let bytes: number
  try {
    bytes = await getObject(bucket, hash, writerTo(fd, file))
  } finally {
    fs.closeSync(fd)
  }
  makeFolder(dirname(path))
  moveDurable(file, path)
  return bytes
}

/** Small ones side by side, then large ones one by one. */
export async function eachStored(all: readonly Stored[], work: (each: Stored) => Promise<void>): Promise<void> {
  const isLarge = ({ bytes }: Stored) => bytes > PART_BYTES
  await inParallel(
    all.filter((each) => !isLarge(each)),
    FILES_AT_ONCE,
    work,
  )
  for (const each of all.filter(isLarge)) await work(each)
}
