// What hone.json says of artifacts: `"artifacts": "s3://BUCKET/PREFIX"`, or nothing where they are in the folder alone.
import fs from 'node:fs'
import { join } from 'node:path'
import { ConfigError, DataError } from '#errors'
import { writeDurable } from '#files'
import { type Bucket, bucketAt } from './place.ts'

/** The bucket of a workspace; undefined: its artifacts are in its folder alone. */
export function bucketOf(workspace: string): Bucket | undefined {
  const { artifacts } = readSettings(workspace)
  return artifacts === undefined ? undefined : bucketAt(artifacts)
}

/** @throws ConfigError where there is none. */
export function mustHaveBucket(workspace: string): Bucket {
  const bucket = bucketOf(workspace)
  if (!bucket)
    throw new ConfigError(
      `artifacts of ${workspace} are in its folder: hone artifacts move s3://BUCKET/PREFIX moves them`,
    )
  return bucket
}

type Settings = Record<string, unknown> & { artifacts?: string }

export function readSettings(workspace: string): Settings {
  const file = join(workspace, 'hone.json')
  let settings: unknown
  try {
    settings = JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new DataError('expected JSON that hone wrote: restore the file', { file }, { cause })
  }
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings))
    throw new DataError('expected a JSON object: restore the file', { file })
  const { artifacts } = settings as { artifacts?: unknown }
  if (artifacts !== undefined && typeof artifacts !== 'string')
    throw new DataError('expected s3://BUCKET/PREFIX or https://HOST/BUCKET/PREFIX', { file, field: 'artifacts' })
  return settings as Settings
}

export function writeSettings(workspace: string, settings: Settings): void {
  writeDurable(join(workspace, 'hone.json'), `${JSON.stringify(settings, null, 2)}\n`)
}
