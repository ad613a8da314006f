// Versions of a project's objective: numbered, none of which ever changes. The objective itself is a file of the workspace.
import type { Query } from './store.ts'

export type ObjectiveVersion = { number: number; sha256: string; note: string; madeAt: string; by: string | null }
const VERSION = `number, sha256, note, made_at as "madeAt", users.name as by`

/** All versions, newest first. */
export function listObjectives(query: Query, project: string): Promise<ObjectiveVersion[]> {
  return query<ObjectiveVersion>(
    `select ${VERSION} from objectives left join users on users.id = made_by where project_id = $1 order by number desc`,
    [project],
  )
}

/** One version with what it says. */
export async function findObjective(
  query: Query,
  project: string,
  number: number,
): Promise<(ObjectiveVersion & { content: unknown }) | undefined> {
  return (
    await query<ObjectiveVersion & { content: unknown }>(
      `select ${VERSION}, content from objectives left join users on users.id = made_by where project_id = $1 and number = $2`,
      [project, number],
    )
  )[0]
}

/** Until the transaction ends nobody else saves to that file: projects older than their own files share one. */
export async function holdObjective(query: Query, objectiveFile: string): Promise<void> {
  await query('select 1 from projects where objective_file = $1 order by id for update', [objectiveFile])
}

/** The next version; answers its number. Call it while the objective is held. `by`: null where nobody here changed the file. */
export async function addObjective(
  query: Query,
  project: string,
  { content, sha256, note, by }: { content: unknown; sha256: string; note: string; by: string | null },
): Promise<number> {
  const [row] = await query<{ number: number }>(
    `insert into objectives (project_id, number, content, sha256, note, made_by)
     select $1, coalesce(max(number), 0) + 1, $2, $3, $4, $5 from objectives where project_id = $1 returning number`,
    [project, JSON.stringify(content), sha256, note, by],
  )
  return row!.number
}

/** What the project's saved versions say, by their ids. */
export async function objectiveTexts(query: Query, project: string): Promise<Map<string, unknown>> {
  const rows = await query<{ sha256: string; content: unknown }>(
    'select distinct on (sha256) sha256, content from objectives where project_id = $1',
    [project],
  )
  return new Map(rows.map(({ sha256, content }) => [sha256, content]))
}

/** Ids of all objectives that the tables know, and whether they are this project's: a version of it, or that of a guideline. */
export function objectiveOwners(query: Query, project: string): Promise<{ sha256: string; isOwn: boolean }[]> {
  return query(
    `select sha256, bool_or(project_id = $1) as "isOwn" from (select project_id, sha256 from objectives
       union all select project_id, objective_sha256 from guidelines where objective_sha256 is not null) as known group by sha256`,
    [project],
  )
}
