// A project's home, people and audit log.
import { HttpError } from '#errors'
import {
  audit,
  auditRows,
  countOwners,
  createLink,
  createProject,
  endCredential,
  findMember,
  giveCredential,
  latestAudit,
  listCredentials,
  listMembers,
  mayResetPassword,
  removeMember,
  sealAudit,
  setRole,
  verifyAudit,
} from '#store'
import type { Handlers } from '../call.ts'
import { beginFrom, domainNamed } from '../domains.ts'
import { loopOf } from '../loop.ts'
import { slugOf } from '../slugs.ts'

type Projects = Pick<
  Handlers,
  | 'POST /api/projects'
  | 'GET /api/projects/{project}'
  | 'GET /api/projects/{project}/people'
  | 'POST /api/projects/{project}/invitations'
  | 'PUT /api/projects/{project}/people/{user}'
  | 'DELETE /api/projects/{project}/people/{user}'
  | 'POST /api/projects/{project}/people/{user}/password-link'
  | 'POST /api/projects/{project}/people/{user}/credentials'
  | 'DELETE /api/projects/{project}/people/{user}/credentials/{credential}'
  | 'GET /api/projects/{project}/audit'
  | 'GET /api/audit'
  | 'GET /api/audit/verdict'
>

const MOST_LINES = 100

export const projectHandlers: Projects = {
  'POST /api/projects': async ({ service, user, body }) =>
    service.store.transaction(async (query) => {
      const project = await createProject(query, { slug: slugOf(body.name), name: body.name })
      if (!project) throw new HttpError(422, `name: ${slugOf(body.name)} is taken; choose another`)
      await setRole(query, project.id, user.id, 'owner')
      const domain = body.domain === undefined ? undefined : domainNamed(service, body.domain)
      if (domain) await beginFrom(service, query, { domain, project, user: user.id })
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'project.create',
        subject: project.slug,
        detail: domain ? { domain: domain.name } : {},
      })
      return project
    }),

  'GET /api/projects/{project}': async ({ service, project, role, user }) => ({
    name: project.name,
    slug: project.slug,
    role,
    ...(await loopOf(service, { project, role, user })),
  }),

  'GET /api/projects/{project}/people': async ({ service, project }) => {
    const { query } = service.store
    const [members, credentials] = await Promise.all([
      listMembers(query, project.id),
      listCredentials(query, project.id),
    ])
    const of = (user: string) => credentials.filter((credential) => credential.user === user)
    return { people: members.map((member) => ({ ...member, credentials: of(member.user) })) }
  },

  'POST /api/projects/{project}/invitations': async ({ service, project, role, user, body }) => {
    if (role !== 'owner' && (body.role === 'owner' || body.role === 'lead'))
      throw new HttpError(403, `role: only an owner may invite an owner or a lead`)
    return service.store.transaction(async (query) => {
      const token = await createLink(query, { kind: 'invitation', project: project.id, role: body.role }, user.id)
      const detail = { role: body.role }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'invitation.create',
        subject: body.role,
        detail,
      })
      return { token }
    })
  },

  'PUT /api/projects/{project}/people/{user}': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      const member = await findMember(query, project.id, params.user)
      if (!member) throw new HttpError(404, 'there is no such member')
      if (member.role === 'owner' && body.role !== 'owner' && (await countOwners(query, project.id)) < 2)
        throw new HttpError(422, 'role: a project keeps at least one owner; make somebody else owner first')
      await setRole(query, project.id, params.user, body.role)
      const detail = { from: member.role, to: body.role }
      await audit(query, { actor: user.id, project: project.id, action: 'member.role', subject: params.user, detail })
    }),

  'DELETE /api/projects/{project}/people/{user}': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      const member = await findMember(query, project.id, params.user)
      if (!member) throw new HttpError(404, 'there is no such member')
      if (member.role === 'owner' && (await countOwners(query, project.id)) < 2)
        throw new HttpError(422, 'a project keeps at least one owner; make somebody else owner first')
      await removeMember(query, project.id, params.user)
      await audit(query, { actor: user.id, project: project.id, action: 'member.remove', subject: params.user })
    }),

  'POST /api/projects/{project}/people/{user}/password-link': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      if (!(await findMember(query, project.id, params.user))) throw new HttpError(404, 'there is no such member')
      if (!(await mayResetPassword(query, user, params.user)))
        throw new HttpError(
          403,
          'that person is also in a project that you do not own, or administers the installation',
        )
      const token = await createLink(query, { kind: 'password', user: params.user }, user.id)
      await audit(query, { actor: user.id, project: project.id, action: 'password.link', subject: params.user })
      return { token }
    }),

  'POST /api/projects/{project}/people/{user}/credentials': async ({ service, project, user, params, body }) =>
    service.store.transaction(async (query) => {
      if (!(await findMember(query, project.id, params.user))) throw new HttpError(404, 'there is no such member')
      const id = await giveCredential(query, { project: project.id, user: params.user, by: user.id, ...body })
      const detail = { user: params.user, expertise: body.expertise, days: body.days }
      await audit(query, { actor: user.id, project: project.id, action: 'credential.give', subject: id, detail })
      return { id }
    }),

  'DELETE /api/projects/{project}/people/{user}/credentials/{credential}': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      const { user: holder, credential: id } = params
      if (!(await endCredential(query, { project: project.id, user: holder, id, by: user.id })))
        throw new HttpError(404, 'there is no such credential')
      const detail = { user: holder }
      await audit(query, { actor: user.id, project: project.id, action: 'credential.end', subject: id, detail })
    }),

  'GET /api/projects/{project}/audit': async ({ service, project, query }) => ({
    entries: await latestAudit(service.store.query, project.id, query.before ?? null, MOST_LINES),
  }),

  'GET /api/audit': async ({ service }) => {
    await sealAudit(service.store)
    return { type: 'application/x-ndjson', name: 'audit.jsonl', body: auditLines(service.store) }
  },

  'GET /api/audit/verdict': async ({ service }) => {
    await sealAudit(service.store)
    return verifyAudit(service.store)
  },
}

async function* auditLines(store: Parameters<typeof auditRows>[0]): AsyncGenerator<string> {
  for await (const row of auditRows(store)) yield `${JSON.stringify(row)}\n`
}
