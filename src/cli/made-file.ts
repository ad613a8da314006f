// Writes what a file that is no version and no run was made from: FILE.made.json beside it, for lineage.
import { writeDurable } from '#files'
import type { Made } from '#lineage'
import { artifactsOf } from '#trainer'
import { version } from './version.ts'

/** Written after the file it speaks of. */
export function writeMade(
  file: string,
  o: Pick<Made, 'by' | 'guidelines' | 'settings'> & {
    objective?: Made['objective'] | undefined
    /** Files by role; roles without one are left out. */
    parents: Record<string, string | undefined>
    models?: Record<string, string>
  },
): void {
  const { by, guidelines, settings, objective } = o
  const { output, ...parents } = artifactsOf({ ...o.parents, output: file }, o.models ?? {})
  const names = { guidelines, ...(objective && { objective }) }
  const made: Made = { kind: 'made', hone: version(), by, output: output!, parents, ...names, settings }
  writeDurable(`${file}.made.json`, `${JSON.stringify(made, null, 2)}\n`)
}
