// What a person has begun to write in an editor of a project and not saved as a version: found again on any device.
import type { Query } from './store.ts'

export type Editor = 'objective' | 'guideline'
type Where = { project: string; user: string; editor: Editor }

export async function findUnsaved(
  query: Query,
  { project, user, editor }: Where,
): Promise<{ content: unknown; savedAt: string } | undefined> {
  const rows = await query<{ content: unknown; savedAt: string }>(
    `select content, saved_at as "savedAt" from unsaved where project_id = $1 and user_id = $2 and editor = $3`,
    [project, user, editor],
  )
  return rows[0]
}

/** In place of what was kept before; answers when. */
export async function keepUnsaved(query: Query, { project, user, editor }: Where, content: unknown): Promise<string> {
  const [row] = await query<{ savedAt: string }>(
    `insert into unsaved (project_id, user_id, editor, content) values ($1, $2, $3, $4)
     on conflict (project_id, user_id, editor) do update set content = excluded.content, saved_at = now()
     returning saved_at as "savedAt"`,
    [project, user, editor, JSON.stringify(content)],
  )
  return row!.savedAt
}

export async function dropUnsaved(query: Query, { project, user, editor }: Where): Promise<void> {
  await query('delete from unsaved where project_id = $1 and user_id = $2 and editor = $3', [project, user, editor])
}
