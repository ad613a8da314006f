// Campaigns that end by themselves: at their deadline they are closed, by nobody.
import { audit } from './audit.ts'
import type { Query, Store } from './store.ts'

/** Null: a lead closes it. */
export async function setDeadline(query: Query, campaign: string, deadline: string | null): Promise<void> {
  await query('update campaigns set deadline = $2 where id = $1', [campaign, deadline])
}

/** Closes what is due, each once however many servers look; answers how many. What was closed before is left alone. */
export async function closeOverdue(store: Store): Promise<number> {
  return store.transaction(async (query) => {
    const closed = await query<{ id: string; project: string; was: string; deadline: string }>(
      `with due as (
         select id, state from campaigns where state <> 'closed' and deadline <= now() for update skip locked)
       update campaigns set state = 'closed', closed_at = coalesce(closed_at, now()) from due where campaigns.id = due.id
       returning campaigns.id, project_id as project, due.state as was, deadline`,
    )
    for (const { id, project, was, deadline } of closed) {
      const detail = { from: was, to: 'closed', deadline }
      await audit(query, { actor: null, project, action: 'campaign.state', subject: id, detail })
    }
    return closed.length
  })
}
