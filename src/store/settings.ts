// How a person has the judging screen, on every device. What an older or newer hone stored and this one does not know is read
// as if nothing had been chosen.
import { Settings } from '#schema'
import type { Query } from './store.ts'

export async function findSettings(query: Query, user: string): Promise<Settings> {
  const [row] = await query<{ content: unknown }>('select content from settings where user_id = $1', [user])
  const stored = Settings.safeParse(row?.content ?? {})
  return stored.success ? stored.data : Settings.parse({})
}

export async function keepSettings(query: Query, user: string, settings: Settings): Promise<void> {
  await query(
    `insert into settings (user_id, content) values ($1, $2)
     on conflict (user_id) do update set content = excluded.content, saved_at = now()`,
    [user, JSON.stringify(settings)],
  )
}
