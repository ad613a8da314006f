// The audit log: who changed what, when. Each row is written in the transaction of the change; `sealAudit` then links the
// rows into a chain, hash = SHA-256(hash before, canonical JSON of the row), so that a row changed, moved or taken out
// afterwards is found. What is not sealed yet (moments) is not covered by the chain.
import { canonicalJson, sha256 } from '#files'
import type { Query, Store } from './store.ts'

type AuditEntry = {
  actor: string | null
  project: string | null
  /** A word of the API: `campaign.create`. */
  action: string
  /** What was changed: an id, a name. */
  subject: string
  /** Never a secret, never a person's words: ids, counts, states. */
  detail?: Record<string, unknown>
}

type AuditRow = {
  position: number
  at: string
  actor: string | null
  project: string | null
  action: string
  subject: string
  detail: Record<string, unknown>
  hash: string
}

const LOCK = 0x61756474
const MOST_AT_ONCE = 2000
const FIRST = '0'.repeat(64)

/** Writes one entry, and a delivery for each webhook that wants it; call it in the transaction of what it tells. */
export async function audit(query: Query, { actor, project, action, subject, detail = {} }: AuditEntry): Promise<void> {
  await query(
    `with entry as (insert into audit (actor, project_id, action, subject, detail) values ($1, $2, $3, $4, $5) returning *)
     insert into deliveries (webhook_id, event, subject, detail, happened_at)
     select webhooks.id, entry.action, entry.subject, entry.detail, entry.at
     from entry join webhooks on webhooks.project_id = entry.project_id
     where removed_at is null and entry.action = any(events)`,
    [actor, project, action, subject, JSON.stringify(detail)],
  )
}

const COLUMNS = `position, at, actor, project_id as project, action, subject, detail, encode(hash, 'hex') as hash`

/** Links what is not linked yet; answers how many. Any number of processes may call it. */
export async function sealAudit(store: Store): Promise<number> {
  let sealed = 0
  for (;;) {
    const count = await store.transaction(async (query) => {
      await query('select pg_advisory_xact_lock($1)', [LOCK])
      const [last] = await query<AuditRow>(
        `select ${COLUMNS} from audit where position is not null order by position desc limit 1`,
      )
      const rows = await query<AuditRow & { id: number }>(
        `select id, ${COLUMNS} from audit where position is null order by id limit $1`,
        [MOST_AT_ONCE],
      )
      let [position, before] = [last?.position ?? 0, last?.hash ?? FIRST]
      const linked = rows.map((row) => {
        position++
        before = hashOf({ ...row, position }, before)
        return { id: row.id, position, hash: before }
      })
      await query(
        `update audit set position = linked.position, hash = decode(linked.hash, 'hex')
         from jsonb_to_recordset($1) as linked (id bigint, position bigint, hash text) where audit.id = linked.id`,
        [JSON.stringify(linked)],
      )
      return rows.length
    })
    sealed += count
    if (count < MOST_AT_ONCE) return sealed
  }
}

function hashOf({ position, at, actor, project, action, subject, detail }: AuditRow, before: string): string {
  return sha256(before + canonicalJson({ position, at, actor, project, action, subject, detail }))
}

export type Verdict = { rows: number; head: string; brokenAt?: number; because?: string }

/** Walks the chain from its first row. `head` names all of it: kept elsewhere, it proves that nothing was cut off the end. */
export async function verifyAudit(store: Store): Promise<Verdict> {
  let [rows, before] = [0, FIRST]
  for await (const row of auditRows(store)) {
    if (row.position !== rows + 1) return { rows, head: before, brokenAt: rows + 1, because: 'a row is missing' }
    const expected = hashOf(row, before)
    if (row.hash !== expected) return { rows, head: before, brokenAt: row.position, because: 'a row was changed' }
    rows = row.position
    before = row.hash
  }
  return { rows, head: before }
}

/** All sealed rows in order, a page at a time. */
export async function* auditRows(store: Store): AsyncGenerator<AuditRow> {
  let from = 0
  for (;;) {
    const page = await store.query<AuditRow>(
      `select ${COLUMNS} from audit where position > $1 order by position limit $2`,
      [from, MOST_AT_ONCE],
    )
    yield* page
    const last = page.at(-1)
    if (!last) return
    from = last.position
  }
}

type AuditLine = {
  id: number
  at: string
  actor: string | null
  action: string
  subject: string
  detail: Record<string, unknown>
}

/** The newest lines of a project, with the actor's name, before a given id. */
export function latestAudit(query: Query, project: string, before: number | null, count: number): Promise<AuditLine[]> {
  return query<AuditLine>(
    `select audit.id, at, users.name as actor, action, subject, detail from audit left join users on users.id = audit.actor
     where project_id = $1 and ($2::bigint is null or audit.id < $2) order by audit.id desc limit $3`,
    [project, before, count],
  )
}
