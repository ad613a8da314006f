// Keys of programs: 256 random bits behind a prefix by which people tell them apart; only the SHA-256 is kept.
import { createHash, randomBytes } from 'node:crypto'
import type { Query } from './store.ts'

export type KeyScope = 'models' | 'completions'
export type ApiKey = {
  id: string
  name: string
  prefix: string
  scopes: KeyScope[]
  perMinute: number
  by: string
  madeAt: string
  expiresAt: string | null
  revokedAt: string | null
  usedAt: string | null
}
/** Whoever shows a key. */
export type KeyHolder = { key: string; project: string; scopes: KeyScope[]; perMinute: number }

const USED_SECONDS = 60
const hash = (key: string): Buffer => createHash('sha256').update(key).digest()

/** The key itself is answered here and nowhere else. */
export async function createApiKey(
  query: Query,
  o: { project: string; name: string; scopes: readonly KeyScope[]; perMinute: number; days: number | null; by: string },
): Promise<{ id: string; key: string }> {
  const key = `hone_${randomBytes(32).toString('base64url')}`
  const [made] = await query<{ id: string }>(
    `insert into api_keys (project_id, name, prefix, key_hash, scopes, per_minute, made_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 day') returning id`,
    [o.project, o.name, key.slice(0, 10), hash(key), o.scopes, o.perMinute, o.by, o.days],
  )
  return { id: made!.id, key }
}

export function listApiKeys(query: Query, project: string): Promise<ApiKey[]> {
  return query<ApiKey>(
    `select api_keys.id, api_keys.name, prefix, scopes, per_minute as "perMinute", users.name as by, made_at as "madeAt",
       expires_at as "expiresAt", revoked_at as "revokedAt", used_at as "usedAt"
     from api_keys join users on users.id = made_by where project_id = $1 order by made_at desc`,
    [project],
  )
}

/** False: there is none, or it was revoked before. */
export async function revokeApiKey(query: Query, project: string, id: string): Promise<boolean> {
  const rows = await query(
    'update api_keys set revoked_at = now() where project_id = $1 and id = $2 and revoked_at is null returning 1',
    [project, id],
  )
  return rows.length > 0
}

/** Undefined: no such key, or it was revoked or has expired. */
export async function findKeyHolder(query: Query, key: string): Promise<KeyHolder | undefined> {
  const [row] = await query<KeyHolder & { isStale: boolean }>(
    `select id as key, project_id as project, scopes, per_minute as "perMinute",
       used_at is null or used_at < now() - $2 * interval '1 second' as "isStale"
     from api_keys where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
    [hash(key), USED_SECONDS],
  )
  if (!row) return undefined
  const { isStale, ...holder } = row
  if (isStale) await query('update api_keys set used_at = now() where id = $1', [holder.key])
  return holder
}
