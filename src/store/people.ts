// People, and what they may do: users, members of projects. Six roles a project; an administrator of the installation may
// also make projects. Roles are words of the schema room.
import type { Role } from '#schema'
import type { Query } from './store.ts'

export type User = { id: string; email: string; name: string; isAdministrator: boolean; isDisabled: boolean }
export type Member = { user: string; name: string; email: string; role: Role; isDisabled: boolean; joinedAt: string }

const USER = `id, email, name, is_administrator as "isAdministrator", disabled_at is not null as "isDisabled"`

/** Whether anybody has an account; before that the server refuses everything but set-up. */
export async function hasUsers(query: Query): Promise<boolean> {
  return (await query('select 1 from users limit 1')).length > 0
}

/** Undefined: somebody has that e-mail address already. */
export async function createUser(
  query: Query,
  user: { email: string; name: string; passwordHash: string; isAdministrator?: boolean },
): Promise<User | undefined> {
  const [made] = await query<User>(
    `insert into users (email, name, password_hash, is_administrator) values (lower($1), $2, $3, $4)
     on conflict (email) do nothing returning ${USER}`,
    [user.email, user.name, user.passwordHash, user.isAdministrator ?? false],
  )
  return made
}

/** Nobody is signed in by that account any more, or can be; its unused links are dead. */
export async function disableUser(query: Query, id: string): Promise<void> {
  await query('update users set disabled_at = coalesce(disabled_at, now()) where id = $1', [id])
  await query('delete from sessions where user_id = $1', [id])
  await query('delete from links where used_at is null and (user_id = $1 or made_by = $1)', [id])
}

/** False: there is no such account, or it was not disabled. */
export async function enableUser(query: Query, id: string): Promise<boolean> {
  const enabled = 'update users set disabled_at = null where id = $1 and disabled_at is not null returning 1'
  return (await query(enabled, [id])).length > 0
}

export type AccountRow = {
  user: string
  name: string
  email: string
  isAdministrator: boolean
  isDisabled: boolean
  projects: number
  /** In a session that still holds; null: there is none. */
  seenAt: string | null
}

export function listAccounts(query: Query): Promise<AccountRow[]> {
  return query<AccountRow>(
    `select id as user, name, email, is_administrator as "isAdministrator", disabled_at is not null as "isDisabled",
       (select count(*)::int from members where user_id = users.id) as projects,
       (select max(seen_at) from sessions where user_id = users.id and expires_at > now()) as "seenAt"
     from users order by name, email`,
  )
}

export async function findUser(query: Query, email: string): Promise<(User & { passwordHash: string }) | undefined> {
  const [user] = await query<User & { passwordHash: string }>(
    `select ${USER}, password_hash as "passwordHash" from users where email = lower($1)`,
    [email],
  )
  return user
}

export async function passwordHashOf(query: Query, user: string): Promise<string | undefined> {
  const [row] = await query<{ hash: string }>('select password_hash as hash from users where id = $1', [user])
  return row?.hash
}

export async function setPassword(query: Query, user: string, passwordHash: string): Promise<void> {
  await query('update users set password_hash = $2 where id = $1', [user, passwordHash])
}

export type Project = {
  id: string
  slug: string
  name: string
  filePrefix: string
  /** At the top of the workspace; there or not. */
  objectiveFile: string
}
/** As columns of `projects`. */
export const PROJECT =
  'projects.id, projects.slug, projects.name, file_prefix as "filePrefix", objective_file as "objectiveFile"'

/** Undefined: the slug is taken. The first project of an installation keeps the workspace's plain names of datasets and objective. */
export async function createProject(
  query: Query,
  project: { slug: string; name: string },
): Promise<Project | undefined> {
  const [made] = await query<Project>(
    `insert into projects (slug, name, file_prefix, objective_file)
     select $1, $2, prefix, prefix || 'objective.json'
     from (select case when exists (select from projects) then $1 || '.' else '' end as prefix) as own
     on conflict (slug) do nothing returning ${PROJECT}`,
    [project.slug, project.name],
  )
  return made
}

/** The project and that user's role in it; undefined where there is no such project, or the user is not in it. */
export async function findMembership(
  query: Query,
  slug: string,
  user: string,
): Promise<{ project: Project; role: Role } | undefined> {
  const [row] = await query<Project & { role: Role }>(
    `select ${PROJECT}, role from projects join members on project_id = id where slug = $1 and user_id = $2`,
    [slug, user],
  )
  if (!row) return undefined
  const { role, ...project } = row
  return { project, role }
}

export function projectsOf(query: Query, user: string): Promise<{ slug: string; name: string; role: Role }[]> {
  return query(
    `select slug, name, role from projects join members on project_id = id where user_id = $1 order by name, slug`,
    [user],
  )
}

export function listMembers(query: Query, project: string): Promise<Member[]> {
  return query<Member>(
    `select users.id as user, name, email, role, disabled_at is not null as "isDisabled", joined_at as "joinedAt"
     from members join users on users.id = user_id where project_id = $1 order by name, email`,
    [project],
  )
}

export async function findMember(query: Query, project: string, user: string): Promise<Member | undefined> {
  return (await listMembers(query, project)).find((member) => member.user === user)
}

/** Adds a member or changes the role; a changed role ends that person's sessions and links, which worked by the old one. */
export async function setRole(query: Query, project: string, user: string, role: Role): Promise<void> {
  const changed = await query(
    `insert into members (project_id, user_id, role) values ($1, $2, $3)
     on conflict (project_id, user_id) do update set role = excluded.role where members.role <> excluded.role
     returning (xmax <> 0) as was`,
    [project, user, role],
  )
  if (changed[0]?.was === true) await endAccess(query, project, user)
  // A link for the password of somebody who is now elsewhere too was made by who had no say there.
  else if (changed[0]) await query('delete from links where used_at is null and user_id = $1', [user])
}

export async function removeMember(query: Query, project: string, user: string): Promise<void> {
  await query('delete from members where project_id = $1 and user_id = $2', [project, user])
  await query(
    'delete from assignments using campaigns where campaigns.id = campaign_id and project_id = $1 and user_id = $2',
    [project, user],
  )
  await endAccess(query, project, user)
}

/** Sessions, and unused links: into the project and to passwords by this person, and to this person's password. */
async function endAccess(query: Query, project: string, user: string): Promise<void> {
  await query('delete from sessions where user_id = $1', [user])
  await query(
    `delete from links where used_at is null
       and (user_id = $2 or (made_by = $2 and (project_id = $1 or kind = 'password')))`,
    [project, user],
  )
}

/** Owners of a project who can act; a project never loses its last. Locks them, so that two do not leave at once. */
export async function countOwners(query: Query, project: string): Promise<number> {
  const rows = await query(
    `select 1 from members join users on users.id = user_id
     where project_id = $1 and role = 'owner' and disabled_at is null for update of members`,
    [project],
  )
  return rows.length
}

/** Whoever can make somebody's password can be them: so not of an administrator, nor of a member elsewhere. */
export async function mayResetPassword(query: Query, actor: User, user: string): Promise<boolean> {
  if (actor.isAdministrator) return true
  const [row] = await query<{ may: boolean }>(
    `select not is_administrator and not exists (
       select from members as theirs where theirs.user_id = users.id and not exists (
         select from members as mine
         where mine.project_id = theirs.project_id and mine.user_id = $1 and mine.role = 'owner')) as may
     from users where id = $2`,
    [actor.id, user],
  )
  return row?.may ?? false
}
