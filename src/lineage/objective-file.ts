// An objective as a file, and the hash by which guidelines and releases name it: SHA-256 of its canonical JSON, so that
// spaces and the order of keys make no other objective.
import { DataError } from '#errors'
import { hashRow } from '#files'
import { Objective } from '#schema'
import { readJsonFile } from './evaluations.ts'

/** A file that is none is a DataError. */
export function readObjectiveFile(file: string): { objective: Objective; hash: string } {
  const parsed = Objective.safeParse(readJsonFile(file))
  if (parsed.success) return { objective: parsed.data, hash: hashRow(parsed.data) }
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected an objective: ${message}`, { file, field: path.join('.') })
}
