// The objective of a project, a file of the workspace, and its criteria as questions that people are asked.
import fs from 'node:fs'
import { join } from 'node:path'
import { HttpError } from '#errors'
import { Objective } from '#schema'
import type { Project } from '#store'

/** Undefined: there is none, or it does not parse. */
export function objectiveOf(workspace: string, { objectiveFile }: Project): Objective | undefined {
  try {
    return Objective.safeParse(JSON.parse(fs.readFileSync(join(workspace, objectiveFile), 'utf8'))).data
  } catch {
    return undefined
  }
}

/** Criteria by their names, in the order of the objective. */
export function criteriaNamed(
  workspace: string,
  project: Project,
  names: readonly string[],
): { name: string; definition: string }[] {
  const known = objectiveOf(workspace, project)?.criteria ?? []
  const unknown = names.find((name) => !known.some((criterion) => criterion.name === name))
  if (unknown !== undefined)
    throw new HttpError(
      422,
      `criteria: expected criteria of the objective (${known.map(({ name }) => name).join(', ') || 'it has none'}), got ${unknown}`,
    )
  return known.flatMap(({ name, definition }) => (names.includes(name) ? [{ name, definition }] : []))
}
