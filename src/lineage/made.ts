// What a file that is no version and no run was made from: FILE.made.json beside it, parents by path and hash. Lineage
// walks over it.
import fs from 'node:fs'
import { z } from 'zod'
import { DataError } from '#errors'
import { ObjectiveStamp } from '#schema'
import { Artifact, readJsonFile } from './evaluations.ts'

export const Made = z.strictObject({
  kind: z.literal('made'),
  hone: z.string(),
  by: z.string().describe('the command'),
  output: Artifact,
  parents: z.record(z.string(), Artifact).describe('by role'),
  guidelines: z.array(z.string()).describe('hashes of the guideline versions behind it'),
  objective: ObjectiveStamp.optional(),
  settings: z.record(z.string(), z.union([z.string(), z.number()])),
})
export type Made = z.infer<typeof Made>

export function readMade(file: string): Made {
  const parsed = Made.safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected what hone wrote: ${message}`, { file, field: path.join('.') })
}

/** What made the file; undefined where nothing beside it says so. */
export function madeBeside(file: string): Made | undefined {
  const record = `${file}.made.json`
  return fs.existsSync(record) ? readMade(record) : undefined
}
