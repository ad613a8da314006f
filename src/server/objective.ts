// The objective of a project, a file of the workspace, and its criteria as questions that people are asked.
import fs from 'node:fs'
import { join } from 'node:path'
import { HttpError } from '#errors'
import { keepObjective } from '#lineage'
import { Objective } from '#schema'
import type { Project } from '#store'

/** Undefined: there is none, or it does not parse. */
export function objectiveOf(workspace: string, project: Project): Objective | undefined {
  return readObjective(workspace, project).objective
}

/** The id of the project's objective as it is now, whose text the workspace keeps from then on; undefined where there is none. */
export function objectiveKept(workspace: string, project: Project): string | undefined {
  const objective = objectiveOf(workspace, project)
  return objective && keepObjective(workspace, objective)
}

/** What the file says, or in words why it says no objective; neither where there is none. */
export function readObjective(
  workspace: string,
  { objectiveFile }: Project,
): { objective?: Objective; problem?: string } {
  try {
    const parsed = Objective.safeParse(JSON.parse(fs.readFileSync(join(workspace, objectiveFile), 'utf8')))
    if (parsed.success) return { objective: parsed.data }
    const { path, message } = parsed.error.issues[0]!
    return { problem: `${objectiveFile} holds no objective: ${path.map(String).join('.') || 'all of it'}: ${message}` }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    const isText = error instanceof SyntaxError
    return { problem: `${objectiveFile} ${isText ? 'holds no JSON' : 'cannot be read'}` }
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
