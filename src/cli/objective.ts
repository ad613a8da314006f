// The objective that a command's records are made under: the one given by --objective, else that of the workspace.
import { findWorkspace } from '#data'
import { objectiveInForce, objectivesBehind, objectivesDiffer } from '#lineage'
import type { ObjectiveStamp } from '#schema'
import { artifactsOf } from '#trainer'

export const OBJECTIVE_FLAG = [
  '--objective <file>',
  'objective.json that this is done under, named in its records (default: that of the workspace)',
] as const

/** Undefined where there is none: records then name none. */
export function objectiveOf({
  objective: file,
  dir,
}: {
  objective?: string | undefined
  dir?: string | undefined
}): ObjectiveStamp | undefined {
  const workspace = dir ?? findWorkspace(process.cwd())
  return objectiveInForce({ workspace, file })
}

/** That of all judgements in a file, as far as they say; undefined where they say none, or several. */
export function onlyObjectiveOf(file: string): ObjectiveStamp | undefined {
  const behind = objectivesBehind(artifactsOf({ judgements: file }, {}))
  return objectivesDiffer({ what: file }, behind) === undefined ? behind[0]?.objective : undefined
}
