// Folder and bucket held to the names of what they have, and to each other.
import fs from 'node:fs'
import { join } from 'node:path'
import { DataError } from '#errors'
import { artifactPath, sha256File, temporaryFolder } from '#files'
import { listed, localArtifacts, noteSent, type OnMoved, sumOf, writeSent } from './known.ts'
import { getObject, putObject } from './objects.ts'
import type { Bucket } from './place.ts'
import { mustHaveBucket } from './settings.ts'
import { bring, eachStored } from './workspace.ts'

export type Checked = {
  inBoth: number
  onlyHere: string[]
  onlyThere: string[]
  /** Other bytes than the name says; those there are found by their length, or with `read` by every byte. */
  damagedHere: string[]
  damagedThere: string[]
  repaired: number
}

/** Holds folder and bucket to the names of what they have, and to each other. `repair`: what one of them has whole, the other gets. */
export async function checkArtifacts(
  workspace: string,
  { read = false, repair = false, onChecked = () => {} }: { read?: boolean; repair?: boolean; onChecked?: OnMoved },
): Promise<Checked> {
  const bucket = mustHaveBucket(workspace)
  const here = new Map(localArtifacts(workspace).map(({ hash, bytes }) => [hash, bytes]))
  const there = new Map((await listed(bucket)).map(({ hash, bytes }) => [hash, bytes]))
  const damagedHere = [...here.keys()].filter((hash) => sha256File(artifactPath(workspace, hash)) !== hash)
  const isWhole = (hash: string) => here.has(hash) && !damagedHere.includes(hash)
  const damagedThere = [...there].flatMap(([hash, bytes]) => (isWhole(hash) && here.get(hash) !== bytes ? [hash] : []))
  if (read) {
    const done = { files: 0, bytes: 0 }
    const all = [...there].map(([hash, bytes]) => ({ hash, bytes })).filter(({ hash }) => !damagedThere.includes(hash))
    await eachStored(all, async ({ hash, bytes }) => {
      if (!(await isGood(bucket, hash))) damagedThere.push(hash)
      done.files++
      done.bytes += bytes
      onChecked({ ...done, of: sumOf(all) })
    })
  }
  const isGoodThere = (hash: string) => there.has(hash) && !damagedThere.includes(hash)
  writeSent(workspace, bucket, [...there.keys()].filter(isGoodThere))
  const found = {
    inBoth: [...here.keys()].filter((hash) => isWhole(hash) && isGoodThere(hash)).length,
    onlyHere: [...here.keys()].filter((hash) => !there.has(hash)),
    onlyThere: [...there.keys()].filter((hash) => !here.has(hash)),
    damagedHere,
    damagedThere,
  }
  if (!repair) return { ...found, repaired: 0 }
  const toSend = [...damagedThere, ...found.onlyHere].filter(isWhole)
  const toBring = [...damagedHere, ...found.onlyThere].filter(isGoodThere)
  for (const hash of toSend) await putObject(bucket, artifactPath(workspace, hash), { hash, anew: true })
  noteSent(workspace, bucket, toSend)
  const temporary = temporaryFolder(join(workspace, 'artifacts', 'bring'))
  try {
    for (const hash of toBring) await bring(workspace, bucket, { hash, temporary })
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true })
  }
  return { ...found, repaired: toSend.length + toBring.length }
}

async function isGood(bucket: Bucket, hash: string): Promise<boolean> {
  try {
    await getObject(bucket, hash, () => {})
    return true
  } catch (error) {
    if (error instanceof DataError) return false
    throw error
  }
}
