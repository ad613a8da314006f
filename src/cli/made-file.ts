// What a file that is no version and no run was made from: FILE.made.json beside it, parents by path and hash. Lineage
// walks over it.
import { z } from 'zod'
import { DataError } from '#errors'
import { writeDurable } from '#files'
import { artifactsOf } from '#trainer'
import { readJsonFile } from './evaluation-file.ts'
import { version } from './version.ts'

const Artifact = z.strictObject({ path: z.string(), hash: z.string() })

const Made = z.strictObject({
  kind: z.literal('made'),
  hone: z.string(),
  by: z.string().describe('the command'),
  output: Artifact,
  parents: z.record(z.string(), Artifact).describe('by role'),
  guidelines: z.array(z.string()).describe('hashes of the guideline versions behind it'),
  settings: z.record(z.string(), z.union([z.string(), z.number()])),
})
export type Made = z.infer<typeof Made>

/** Written after the file it speaks of. */
export function writeMade(
  file: string,
  o: Pick<Made, 'by' | 'guidelines' | 'settings'> & {
    /** Files by role; roles without one are left out. */
    parents: Record<string, string | undefined>
    models?: Record<string, string>
  },
): void {
  const { by, guidelines, settings } = o
  const { output, ...parents } = artifactsOf({ ...o.parents, output: file }, o.models ?? {})
  const made: Made = { kind: 'made', hone: version(), by, output: output!, parents, guidelines, settings }
  writeDurable(`${file}.made.json`, `${JSON.stringify(made, null, 2)}\n`)
}

export function readMade(file: string): Made {
  const parsed = Made.safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected what hone wrote: ${message}`, { file, field: path.join('.') })
}
