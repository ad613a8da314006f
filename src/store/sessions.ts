// Sessions and one-time links, by OWASP ASVS 5 chapter V7: an id of 256 random bits of which only the SHA-256 is kept, a
// new one at every sign-in, 12 hours idle, 30 days at most. And the count of failed sign-ins.
import { createHash, randomBytes } from 'node:crypto'
import type { Role } from '#schema'
import type { Query } from './store.ts'
import type { User } from './people.ts'

const IDLE_HOURS = 12
const MOST_DAYS = 30
const LINK_DAYS = 7
/** How often a session in use is noted as seen: a write a minute and not one a request. */
const SEEN_SECONDS = 60

const hash = (token: string): Buffer => createHash('sha256').update(token).digest()
const newToken = (): string => randomBytes(32).toString('base64url')

/** The token goes to the browser and is not kept. */
export async function createSession(query: Query, user: string): Promise<string> {
  const token = newToken()
  await query(
    `with old as (delete from sessions where user_id = $2 and (expires_at < now() or seen_at < now() - $4 * interval '1 hour'))
     insert into sessions (id_hash, user_id, expires_at) values ($1, $2, now() + $3 * interval '1 day')`,
    [hash(token), user, MOST_DAYS, IDLE_HOURS],
  )
  return token
}

/** Who holds the session; undefined: nobody, or it ended, or the account is disabled. */
export async function findSession(query: Query, token: string): Promise<User | undefined> {
  const [row] = await query<User & { isStale: boolean }>(
    `select users.id, email, name, is_administrator as "isAdministrator", false as "isDisabled",
       seen_at < now() - $3 * interval '1 second' as "isStale"
     from sessions join users on users.id = user_id
     where id_hash = $1 and expires_at > now() and seen_at > now() - $2 * interval '1 hour' and disabled_at is null`,
    [hash(token), IDLE_HOURS, SEEN_SECONDS],
  )
  if (!row) return undefined
  const { isStale, ...user } = row
  if (isStale) await query('update sessions set seen_at = now() where id_hash = $1', [hash(token)])
  return user
}

export async function endSession(query: Query, token: string): Promise<void> {
  await query('delete from sessions where id_hash = $1', [hash(token)])
}

/** All of one person's sessions but the one given. */
export async function endOtherSessions(query: Query, user: string, token: string | undefined): Promise<void> {
  await query('delete from sessions where user_id = $1 and id_hash is distinct from $2', [
    user,
    token ? hash(token) : null,
  ])
}

export type Link =
  | { kind: 'invitation'; project: string; projectName: string; slug: string; role: Role }
  | { kind: 'password'; user: string; name: string }

/** A link for one use within a week; the token is shown once and not kept. */
export async function createLink(
  query: Query,
  link: { kind: 'invitation'; project: string; role: Role } | { kind: 'password'; user: string },
  madeBy: string,
): Promise<string> {
  const token = newToken()
  const [project, role, user] = link.kind === 'invitation' ? [link.project, link.role, null] : [null, null, link.user]
  await query(
    `insert into links (token_hash, kind, project_id, role, user_id, made_by, expires_at)
     values ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 day')`,
    [hash(token), link.kind, project, role, user, madeBy, LINK_DAYS],
  )
  return token
}

type LinkRow = {
  kind: Link['kind']
  project: string
  projectName: string
  slug: string
  role: Role
  user: string
  name: string
}

/** What the link is for; undefined: none such, used, or too old. */
export async function findLink(query: Query, token: string): Promise<Link | undefined> {
  const [row] = await query<LinkRow>(
    `select kind, links.project_id as project, projects.name as "projectName", slug, role, user_id as user, users.name
     from links left join projects on projects.id = links.project_id left join users on users.id = user_id
     where token_hash = $1 and used_at is null and links.expires_at > now()`,
    [hash(token)],
  )
  if (!row) return undefined
  const { kind, project, projectName, slug, role, user, name } = row
  return kind === 'invitation' ? { kind, project, projectName, slug, role } : { kind, user, name }
}

/** Takes the link for use; false: another took it first. Call it in the transaction of that use. */
export async function takeLink(query: Query, token: string): Promise<boolean> {
  const taken = await query(
    'update links set used_at = now() where token_hash = $1 and used_at is null and expires_at > now() returning 1',
    [hash(token)],
  )
  return taken.length > 0
}

const MOST_FAILURES = 10
const FAILURE_MINUTES = 15

/**
 * Counts an attempt to sign in before the password is looked at, one at a time, so that many at once cannot slip through:
 * call it in a transaction of its own. Answers seconds to wait when there were too many of that account from that
 * address, 0 when it may go on.
 */
export async function countAttempt(query: Query, account: string, address: string): Promise<number> {
  const who = attemptsOf(account, address)
  await query("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), 0))", [who])
  const [row] = await query<{ failures: number; wait: number }>(
    `select count(*)::int as failures,
       coalesce(greatest(1, ceil(extract(epoch from min(at) + $2 * interval '1 minute' - now()))), 0)::int as wait
     from sign_in_failures where who = $1 and at > now() - $2 * interval '1 minute'`,
    [who, FAILURE_MINUTES],
  )
  if (row!.failures >= MOST_FAILURES) return row!.wait
  await query('insert into sign_in_failures (who) values ($1)', [who])
  return 0
}

/** A sign-in that succeeded takes its count back, and what is long past goes too. */
export async function clearAttempts(query: Query, account: string, address: string): Promise<void> {
  await query(`delete from sign_in_failures where who = $1 or at < now() - $2 * interval '1 minute'`, [
    attemptsOf(account, address),
    FAILURE_MINUTES,
  ])
}

const attemptsOf = (account: string, address: string): Buffer => hash(`${account.toLowerCase()}\0${address}`)
