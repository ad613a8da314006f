// Whether a bucket can be read, written and listed, by an object that stays there.
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '#files'
import { getObject, listObjects, putObject } from './objects.ts'
import type { Bucket } from './place.ts'

const PROBE = 'hone reads and writes here\n'
export const PROBE_HASH = sha256(PROBE)

/** Puts a small object and gets it back; throws what stands in the way. */
export async function probeBucket(bucket: Bucket): Promise<void> {
  const folder = fs.mkdtempSync(join(tmpdir(), 'hone-probe-'))
  try {
    const file = join(folder, 'probe')
    fs.writeFileSync(file, PROBE)
    await putObject(bucket, file, { hash: PROBE_HASH })
    await getObject(bucket, PROBE_HASH, () => {})
    for await (const _ of listObjects(bucket)) break
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}
