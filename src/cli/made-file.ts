// Writes what a file that is no version and no run was made from: FILE.made.json beside it, for lineage.
import { writeDurable } from '#files'
import type { Made } from '#lineage'
import { artifactsOf } from '#trainer'
import { version } from './version.ts'

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
