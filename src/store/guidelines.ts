// Guidelines of a project: numbered versions, none of which ever changes.
import { sha256 } from '#files'
import type { Query } from './store.ts'

export type Guideline = {
  id: string
  number: number
  text: string
  label: string
  madeAt: string
  by: string
  /** Id of the objective that it was written under; null: there was none, or it is not known. */
  objective: string | null
}
const GUIDELINE = `guidelines.id, number, text, 'guideline@' || left(sha256, 12) as label, made_at as "madeAt", users.name as by,
    objective_sha256 as objective`

/** The newest version; undefined where the project has none. */
export async function newestGuideline(query: Query, project: string): Promise<Guideline | undefined> {
  return (await listGuidelines(query, project))[0]
}

/** All versions, newest first. */
export function listGuidelines(query: Query, project: string): Promise<Guideline[]> {
  return query<Guideline>(
    `select ${GUIDELINE} from guidelines join users on users.id = made_by where project_id = $1 order by number desc`,
    [project],
  )
}

/** A new version; false where the newest has this text already, under this objective as far as is known. */
export async function addGuideline(
  query: Query,
  project: string,
  { text, by, objective }: { text: string; by: string; objective?: string | undefined },
): Promise<boolean> {
  await query('select 1 from projects where id = $1 for update', [project])
  const newest = await newestGuideline(query, project)
  const isOther = typeof newest?.objective === 'string' && objective !== undefined && newest.objective !== objective
  if (newest?.text === text && !isOther) return false
  await query(
    'insert into guidelines (project_id, number, text, sha256, made_by, objective_sha256) values ($1, $2, $3, $4, $5, $6)',
    [project, (newest?.number ?? 0) + 1, text, sha256(text), by, objective ?? null],
  )
  return true
}

/** One version. */
export async function findGuideline(query: Query, id: string): Promise<Guideline | undefined> {
  return (
    await query<Guideline>(
      `select ${GUIDELINE} from guidelines join users on users.id = made_by where guidelines.id = $1`,
      [id],
    )
  )[0]
}
