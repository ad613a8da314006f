// Webhooks and their deliveries. A delivery comes into being with the audit row that it tells of (`audit`); a claim is one
// statement with a lease, so that a server that died leaves it to be sent again.
import type { Query } from './store.ts'

export type Webhook = {
  id: string
  name: string
  url: string
  events: string[]
  by: string
  madeAt: string
  /** Deliveries that wait to be sent, and that nobody took. */
  waiting: number
  failed: number
}

export async function createWebhook(
  query: Query,
  o: { project: string; name: string; url: string; events: readonly string[]; by: string },
): Promise<string> {
  const [made] = await query<{ id: string }>(
    'insert into webhooks (project_id, name, url, events, made_by) values ($1, $2, $3, $4, $5) returning id',
    [o.project, o.name, o.url, o.events, o.by],
  )
  return made!.id
}

const WEBHOOK = `select webhooks.id, webhooks.name, url, events, users.name as by, made_at as "madeAt",
    (select count(*)::int from deliveries where webhook_id = webhooks.id and settled_at is null) as waiting,
    (select count(*)::int from deliveries where webhook_id = webhooks.id and outcome = 'failed') as failed
  from webhooks join users on users.id = made_by where project_id = $1 and removed_at is null`

export function listWebhooks(query: Query, project: string): Promise<Webhook[]> {
  return query<Webhook>(`${WEBHOOK} order by made_at desc`, [project])
}

export async function findWebhook(query: Query, project: string, id: string): Promise<Webhook | undefined> {
  return (await query<Webhook>(`${WEBHOOK} and webhooks.id = $2`, [project, id]))[0]
}

/** False: there is none, or it was removed before. What it has not sent yet is not sent any more. */
export async function removeWebhook(query: Query, project: string, id: string): Promise<boolean> {
  const rows = await query(
    'update webhooks set removed_at = now() where project_id = $1 and id = $2 and removed_at is null returning 1',
    [project, id],
  )
  return rows.length > 0
}

export type Delivery = {
  id: string
  event: string
  subject: string
  at: string
  attempts: number
  state: 'waiting' | 'delivered' | 'failed'
  /** When it is sent next; null: no more. */
  dueAt: string | null
  status: number | null
  problem: string
}

export function listDeliveries(query: Query, webhook: string, count: number): Promise<Delivery[]> {
  return query<Delivery>(
    `select id, event, subject, happened_at as at, attempts, coalesce(outcome, 'waiting') as state,
       case when settled_at is null then due_at end as "dueAt", status, problem
     from deliveries where webhook_id = $1 order by happened_at desc, id limit $2`,
    [webhook, count],
  )
}

/** One that tells of nothing but itself. */
export async function addDelivery(query: Query, webhook: string, event: string): Promise<string> {
  const [made] = await query<{ id: string }>(
    `insert into deliveries (webhook_id, event, subject, detail) values ($1::uuid, $2, ($1::uuid)::text, '{}') returning id`,
    [webhook, event],
  )
  return made!.id
}

/** Sends a settled one once more, under the same id. False: there is none such. */
export async function repeatDelivery(query: Query, webhook: string, id: string): Promise<boolean> {
  const rows = await query(
    `update deliveries set outcome = null, settled_at = null, attempts = 0, due_at = now()
     where webhook_id = $1 and id = $2 and settled_at is not null returning 1`,
    [webhook, id],
  )
  return rows.length > 0
}

export type ClaimedDelivery = {
  id: string
  webhook: string
  url: string
  project: string
  event: string
  subject: string
  detail: Record<string, unknown>
  at: string
  /** This one counted. */
  attempts: number
}

/** The one that is due longest, but of webhooks that are being sent to already; undefined: none is due. */
export async function claimDelivery(
  query: Query,
  { except, leaseSeconds }: { except: readonly string[]; leaseSeconds: number },
): Promise<ClaimedDelivery | undefined> {
  const [row] = await query<ClaimedDelivery>(
    `with next as (
       select deliveries.id, webhooks.url, slug from deliveries
       join webhooks on webhooks.id = webhook_id join projects on projects.id = project_id
       where settled_at is null and due_at <= now() and removed_at is null and webhook_id <> all($1::uuid[])
       order by due_at limit 1 for update of deliveries skip locked)
     update deliveries set attempts = attempts + 1, due_at = now() + $2 * interval '1 second'
     from next where deliveries.id = next.id
     returning deliveries.id, webhook_id as webhook, url, slug as project, event, subject, detail, happened_at as at, attempts`,
    [except, leaseSeconds],
  )
  return row
}

/** `againSeconds`: until the next attempt; undefined: there is none. */
export async function settleDelivery(
  query: Query,
  { id, attempts }: Pick<ClaimedDelivery, 'id' | 'attempts'>,
  o: { isTaken: boolean; status: number | null; problem: string; againSeconds: number | undefined },
): Promise<void> {
  await query(
    `update deliveries set status = $3, problem = $4,
       outcome = case when $5 then 'delivered' when $6::float8 is null then 'failed' end,
       settled_at = case when $5 or $6::float8 is null then now() end,
       due_at = now() + coalesce($6::float8, 0) * interval '1 second'
     where id = $1 and attempts = $2 and settled_at is null`,
    [id, attempts, o.status, o.problem, o.isTaken, o.againSeconds ?? null],
  )
}

/** Deliveries that are settled and old; answers how many went. */
export async function forgetDeliveries(query: Query, days: number): Promise<number> {
  const rows = await query(`delete from deliveries where settled_at < now() - $1 * interval '1 day' returning 1`, [
    days,
  ])
  return rows.length
}
