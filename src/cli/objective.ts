// The objective that a command's records are made under: the one given by --objective, else that of the workspace.
import { findWorkspace } from '#data'
import { objectiveInForce } from '#lineage'
import type { ObjectiveStamp } from '#schema'

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
