// Set-up, sign-in, one's own account, and the links by which people come in.
import { z } from 'zod'
import { Role, Settings } from '#schema'
import { DomainName, Email, type Endpoint, Password, Text, Token } from './endpoint.ts'

const Me = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  isAdministrator: z.boolean(),
  projects: z.array(z.object({ slug: z.string(), name: z.string(), role: Role })),
  settings: Settings,
})

export const ACCOUNT = {
  'GET /api/state': {
    summary: 'Whether this installation is set up, and who asks',
    access: 'anyone',
    answer: z.object({
      isSetUp: z.boolean(),
      isDemo: z.boolean(),
      suggestedProject: z.string(),
      /** Until it is set up: the workspace has an objective, which becomes that of the first project. */
      bringsObjective: z.boolean(),
      /** That a new project can begin from. */
      domains: z.array(z.object({ name: z.string(), summary: z.string(), criteria: z.number(), prompts: z.number() })),
      me: Me.nullable(),
    }),
  },
  'POST /api/set-up': {
    summary: 'The first account and project, by the link that the first start printed',
    access: 'set-up',
    body: z.strictObject({
      token: Token,
      name: Text(120),
      email: Email,
      password: Password,
      project: Text(120),
      domain: DomainName.optional(),
    }),
    answer: Me,
  },
  'POST /api/session': {
    summary: 'Sign in; a new session each time',
    access: 'anyone',
    body: z.strictObject({ email: Email, password: z.string().min(1).max(128) }),
    answer: Me,
  },
  'DELETE /api/session': { summary: 'Sign out', access: 'signed-in', answer: 'nothing' },
  'PUT /api/me/password': {
    summary: 'Change my password; my other sessions end',
    access: 'signed-in',
    body: z.strictObject({ current: z.string().min(1).max(128), password: Password }),
    answer: 'nothing',
  },
  'PUT /api/me/settings': {
    summary: 'How I have the judging screen, on every device: how texts are shown, and which key does what',
    access: 'signed-in',
    body: Settings,
    answer: 'nothing',
  },
  'GET /api/accounts': {
    summary: 'Every account of the installation',
    access: 'administrator',
    answer: z.object({
      accounts: z.array(
        z.object({
          user: z.string(),
          name: z.string(),
          email: z.string(),
          isAdministrator: z.boolean(),
          isDisabled: z.boolean(),
          projects: z.number(),
          seenAt: z.string().nullable(),
        }),
      ),
    }),
  },
  'PUT /api/accounts/{user}/state': {
    summary: 'Disable an account, whose sessions and links end at once, or enable it again',
    access: 'administrator',
    body: z.strictObject({ state: z.enum(['active', 'disabled']) }),
    answer: 'nothing',
  },
  'POST /api/links/look': {
    summary: 'What a link is for',
    access: 'anyone',
    body: z.strictObject({ token: Token }),
    answer: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('invitation'), projectName: z.string(), role: Role }),
      z.object({ kind: z.literal('password'), name: z.string() }),
    ]),
  },
  'POST /api/links/join': {
    summary: 'Join the project of an invitation with a new account, or as who is signed in',
    access: 'anyone',
    body: z.strictObject({
      token: Token,
      account: z.strictObject({ name: Text(120), email: Email, password: Password }).optional(),
    }),
    answer: Me,
  },
  'POST /api/links/password': {
    summary: 'Choose a new password by a link; every session of that account ends',
    access: 'anyone',
    body: z.strictObject({ token: Token, password: Password }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
