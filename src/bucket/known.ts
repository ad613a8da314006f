// What folder and bucket have. What the bucket is known to have stands in `artifacts/.in-<bucket>`, one hash a line; all else in the
// folder is to be sent. So nothing needs to be marked when it is made, and a lost list costs one listing.
import fs from 'node:fs'
import { join } from 'node:path'
import { artifactPath, makeFolder, sha256, writeDurable } from '#files'
import { listObjects, type Stored } from './objects.ts'
import type { Bucket } from './place.ts'
import { PROBE_HASH } from './probe.ts'

const HASH = /^[0-9a-f]{64}$/

export type Moved = { files: number; bytes: number }
export type OnMoved = (done: Moved & { of: Moved }) => void

export async function listed(bucket: Bucket): Promise<Stored[]> {
  const there: Stored[] = []
  for await (const stored of listObjects(bucket)) if (stored.hash !== PROBE_HASH) there.push(stored)
  return there
}

/** Writes down what the bucket has; a length that differs from the file's here is as if it were not there. */
export function note(workspace: string, bucket: Bucket, there: readonly Stored[]): void {
  const here = new Map(localArtifacts(workspace).map(({ hash, bytes }) => [hash, bytes]))
  const known = there.filter(({ hash, bytes }) => (here.get(hash) ?? bytes) === bytes)
  writeSent(
    workspace,
    bucket,
    known.map(({ hash }) => hash),
  )
}

export function localArtifacts(workspace: string): Stored[] {
  const folder = join(workspace, 'artifacts')
  if (!fs.existsSync(folder)) return []
  return fs
    .readdirSync(folder)
    .filter((name) => /^[0-9a-f]{2}$/.test(name))
    .flatMap((name) => fs.readdirSync(join(folder, name)).filter((hash) => HASH.test(hash)))
    .map((hash) => ({ hash, bytes: fs.statSync(artifactPath(workspace, hash)).size }))
}

export function unsentTo(workspace: string, bucket: Bucket): Stored[] {
  const sent = sentTo(workspace, bucket)
  return localArtifacts(workspace).filter(({ hash }) => !sent.has(hash))
}

/** Another bucket has another list. */
function sentPath(workspace: string, { url }: Bucket): string {
  return join(workspace, 'artifacts', `.in-${sha256(url).slice(0, 12)}`)
}

export function hasMet(workspace: string, bucket: Bucket): boolean {
  return fs.existsSync(sentPath(workspace, bucket))
}

/** A line that a power cut left torn is none: what it named is sent again. */
export function sentTo(workspace: string, bucket: Bucket): Set<string> {
  const path = sentPath(workspace, bucket)
  return new Set(
    fs.existsSync(path)
      ? fs
          .readFileSync(path, 'utf8')
          .split('\n')
          .filter((line) => HASH.test(line))
      : [],
  )
}

export function noteSent(workspace: string, bucket: Bucket, hashes: readonly string[]): void {
  if (hashes.length > 0) fs.appendFileSync(sentPath(workspace, bucket), hashes.map((hash) => `\n${hash}\n`).join(''))
}

export function writeSent(workspace: string, bucket: Bucket, hashes: readonly string[]): void {
  makeFolder(join(workspace, 'artifacts'))
  writeDurable(sentPath(workspace, bucket), hashes.map((hash) => `${hash}\n`).join(''))
}

/** Whether everything is here that dataset versions and guideline versions name. */
export function lacksNothing(workspace: string): boolean {
  const datasets = join(workspace, 'datasets')
  const lines = fs.existsSync(datasets) ? fs.readdirSync(datasets).filter((name) => name.endsWith('.jsonl')) : []
  const named = [
    ...lines.flatMap((name) => hashesIn(join(datasets, name), /"content":"([0-9a-f]{64})"/g)),
    ...hashesIn(join(workspace, 'guidelines.jsonl'), /"(?:guideline|objective)":"([0-9a-f]{64})"/g),
  ]
  return named.every((hash) => fs.existsSync(artifactPath(workspace, hash)))
}

function hashesIn(file: string, pattern: RegExp): string[] {
  if (!fs.existsSync(file)) return []
  return [...fs.readFileSync(file, 'utf8').matchAll(pattern)].map(([, hash]) => hash!)
}

export function sumOf(all: readonly Stored[]): Moved {
  return { files: all.length, bytes: all.reduce((sum, { bytes }) => sum + bytes, 0) }
}
