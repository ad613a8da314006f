// Set-up, sign-in, one's own account, links.
import { timingSafeEqual } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { HttpError } from '#errors'
import { sha256 } from '#files'
import {
  addGuideline,
  audit,
  clearAttempts,
  countAttempt,
  createProject,
  createSession,
  createUser,
  disableUser,
  enableUser,
  endOtherSessions,
  endSession,
  findLink,
  findSettings,
  findUser,
  hasUsers,
  keepSettings,
  listAccounts,
  passwordHashOf,
  projectsOf,
  type Query,
  setPassword,
  setRole,
  takeLink,
  type User,
  type Project,
} from '#store'
import type { Handlers, Service } from '../call.ts'
import type { AnswerOf } from '../contract.ts'
import { beginFrom, domainNamed } from '../domains.ts'
import { objectiveKept } from '../objective.ts'
import { hashPassword, isPassword } from '../passwords.ts'
import { slugOf } from '../slugs.ts'
import { TooMany } from '../refusals.ts'

type Me = AnswerOf<'POST /api/session'>
type Account = Pick<
  Handlers,
  | 'GET /api/state'
  | 'POST /api/set-up'
  | 'POST /api/session'
  | 'DELETE /api/session'
  | 'PUT /api/me/password'
  | 'PUT /api/me/settings'
  | 'GET /api/accounts'
  | 'PUT /api/accounts/{user}/state'
  | 'POST /api/links/look'
  | 'POST /api/links/join'
  | 'POST /api/links/password'
>

export const accountHandlers: Account = {
  'GET /api/state': async ({ service, user }) => ({
    isSetUp: await hasUsers(service.store.query),
    isDemo: service.isDemo,
    suggestedProject: suggestedProject(service),
    bringsObjective: bringsObjective(service),
    domains: [...service.domains],
    me: user ? await meOf(service.store.query, user) : null,
  }),

  'POST /api/set-up': async ({ service, body, setSession }) => {
    const { token, name, email, password, project, domain: from } = body
    if (service.setUpToken === undefined || !isSame(token, service.setUpToken))
      throw new HttpError(403, 'expected the link that hone serve printed at its last start')
    const domain = from === undefined ? undefined : domainNamed(service, from)
    if (domain && bringsObjective(service))
      throw new HttpError(422, 'domain: this workspace has an objective.json of its own, which the first project takes')
    const passwordHash = await hashPassword(password)
    const { session, user } = await service.store.transaction(async (query) => {
      // Two who set up at once: the second waits here, and finds the first one's account.
      await query('lock table users in exclusive mode')
      if (await hasUsers(query)) throw new HttpError(404, 'this installation is set up already')
      const user = (await createUser(query, { email, name, passwordHash, isAdministrator: true }))!
      const made = (await createProject(query, { slug: slugOf(project), name: project }))!
      await setRole(query, made.id, user.id, 'owner')
      if (domain) await beginFrom(service, query, { domain, project: made, user: user.id })
      else await takeOverGuideline(query, service, made, user.id)
      await audit(query, {
        actor: user.id,
        project: made.id,
        action: 'installation.set-up',
        subject: made.slug,
        detail: domain ? { domain: domain.name } : {},
      })
      return { user, session: await createSession(query, user.id) }
    })
    service.setUpToken = undefined
    setSession(session)
    return meOf(service.store.query, user)
  },

  'POST /api/session': async ({ service, body, address, session: old, setSession }) => {
    const { store } = service
    const wait = await store.transaction((query) => countAttempt(query, body.email, address))
    if (wait > 0)
      throw new TooMany(wait, `too many attempts for this account: try again in ${Math.ceil(wait / 60)} minutes`)
    const user = await findUser(store.query, body.email)
    const isRight = await isPassword(body.password, user?.passwordHash)
    if (!user || !isRight || user.isDisabled) throw new HttpError(401, 'e-mail address or password is wrong')
    const session = await store.transaction(async (query) => {
      await clearAttempts(query, body.email, address)
      if (old !== undefined) await endSession(query, old)
      await audit(query, { actor: user.id, project: null, action: 'session.start', subject: user.id })
      return createSession(query, user.id)
    })
    setSession(session)
    return meOf(store.query, user)
  },

  'DELETE /api/session': async ({ service, user, session, setSession }) => {
    await service.store.transaction(async (query) => {
      await endSession(query, session!)
      await audit(query, { actor: user.id, project: null, action: 'session.end', subject: user.id })
    })
    setSession(undefined)
  },

  'PUT /api/me/password': async ({ service, user, session, body, address }) => {
    const { store } = service
    const wait = await store.transaction((query) => countAttempt(query, user.email, address))
    if (wait > 0) throw new TooMany(wait, `too many attempts: try again in ${Math.ceil(wait / 60)} minutes`)
    if (!(await isPassword(body.current, await passwordHashOf(store.query, user.id))))
      throw new HttpError(422, 'current: this is not your password')
    const passwordHash = await hashPassword(body.password)
    await store.transaction(async (query) => {
      await clearAttempts(query, user.email, address)
      await setPassword(query, user.id, passwordHash)
      await endOtherSessions(query, user.id, session)
      await audit(query, { actor: user.id, project: null, action: 'password.change', subject: user.id })
    })
  },

  'PUT /api/me/settings': async ({ service, user, body }) => keepSettings(service.store.query, user.id, body),

  'GET /api/accounts': async ({ service }) => ({ accounts: await listAccounts(service.store.query) }),

  'PUT /api/accounts/{user}/state': async ({ service, user, params, body }) =>
    service.store.transaction(async (query) => {
      if (params.user === user.id)
        throw new HttpError(422, 'state: this is your own account; another administrator can')
      const found = (await listAccounts(query)).find((account) => account.user === params.user)
      if (!found) throw new HttpError(404, 'there is no such account')
      if (found.isDisabled === (body.state === 'disabled')) return
      if (body.state === 'disabled') await disableUser(query, params.user)
      else await enableUser(query, params.user)
      const action = body.state === 'disabled' ? 'account.disable' : 'account.enable'
      await audit(query, { actor: user.id, project: null, action, subject: params.user })
    }),

  'POST /api/links/look': async ({ service, body }) => (await findLink(service.store.query, body.token)) ?? gone(),

  'POST /api/links/join': async ({ service, body, user: signedIn, setSession }) => {
    if (!signedIn && !body.account) throw new HttpError(422, 'account: expected name, e-mail address and password')
    // Hashing is slow: who brings no link makes the server do none.
    if ((await findLink(service.store.query, body.token))?.kind !== 'invitation') return gone()
    const passwordHash = body.account && (await hashPassword(body.account.password))
    const { user, session } = await service.store.transaction(async (query) => {
      const link = await findLink(query, body.token)
      if (link?.kind !== 'invitation' || !(await takeLink(query, body.token))) return gone()
      let user = signedIn
      if (!user && body.account && passwordHash !== undefined)
        user = await createUser(query, { ...body.account, passwordHash })
      if (!user)
        throw new HttpError(
          422,
          'account.email: there is an account of this address; sign in, then open the link again',
        )
      const isMember = (await projectsOf(query, user.id)).some(({ slug }) => slug === link.slug)
      if (isMember) throw new HttpError(422, `you are in ${link.projectName} already`)
      await setRole(query, link.project, user.id, link.role)
      await audit(query, {
        actor: user.id,
        project: link.project,
        action: 'member.join',
        subject: user.id,
        detail: { role: link.role },
      })
      return { user, session: signedIn ? undefined : await createSession(query, user.id) }
    })
    if (session !== undefined) setSession(session)
    return meOf(service.store.query, user)
  },

  'POST /api/links/password': async ({ service, body }) => {
    if ((await findLink(service.store.query, body.token))?.kind !== 'password') return gone()
    const passwordHash = await hashPassword(body.password)
    await service.store.transaction(async (query) => {
      const link = await findLink(query, body.token)
      if (link?.kind !== 'password' || !(await takeLink(query, body.token))) return gone()
      await setPassword(query, link.user, passwordHash)
      await endOtherSessions(query, link.user, undefined)
      await audit(query, { actor: link.user, project: null, action: 'password.reset', subject: link.user })
    })
  },
}

function gone(): never {
  throw new HttpError(404, 'this link was used, or is older than a week: ask for a new one')
}

async function meOf(query: Query, { id, name, email, isAdministrator }: User): Promise<Me> {
  return {
    id,
    name,
    email,
    isAdministrator,
    projects: await projectsOf(query, id),
    settings: await findSettings(query, id),
  }
}

function isSame(given: string, expected: string): boolean {
  return timingSafeEqual(Buffer.from(sha256(given)), Buffer.from(sha256(expected)))
}

/** A workspace that was begun at the command line brings its guideline.md. */
async function takeOverGuideline(query: Query, { workspace }: Service, project: Project, user: string): Promise<void> {
  const file = join(workspace, 'guideline.md')
  if (!existsSync(file)) return
  const text = readFileSync(file, 'utf8').replaceAll('\0', '').trim()
  if (text !== '')
    await addGuideline(query, project.id, { text, by: user, objective: objectiveKept(workspace, project) })
}

/** Of a workspace that was begun at the command line. */
function bringsObjective({ workspace }: Service): boolean {
  return existsSync(join(workspace, 'objective.json'))
}

/** What hone.json calls the workspace. */
function suggestedProject({ workspace }: Service): string {
  try {
    const { name } = JSON.parse(readFileSync(join(workspace, 'hone.json'), 'utf8')) as { name?: unknown }
    if (typeof name === 'string') return name.slice(0, 120)
  } catch {
    // the folder's name does as well
  }
  return basename(resolve(workspace))
}
