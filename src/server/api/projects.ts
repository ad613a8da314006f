// Projects: their home, their people, their audit log.
import { z } from 'zod'
import { Role } from '#schema'
import { DomainName, type Endpoint, Expertise, EVERY_ROLE, LEADS, OBSERVERS, OWNERS, Text } from './endpoint.ts'

/** A step of the loop as the home page draws it. */
const Step = z.object({
  step: z.enum(['objective', 'demonstrations', 'sft', 'comparisons', 'reward', 'rl', 'evaluation']),
  /** `waiting`: people have something to do here. */
  state: z.enum(['empty', 'there', 'waiting', 'running']),
  figure: z.string(),
  note: z.string(),
  /** Where its work is done; null: nowhere that the reader may go. */
  place: z
    .object({
      screen: z.enum(['objective', 'datasets', 'campaigns', 'runs', 'evaluations', 'releases', 'judge', 'write']),
      /** Of the last two. */
      campaign: z.string().nullable(),
    })
    .nullable(),
})
const Waiting = z.object({
  what: z.string(),
  count: z.number(),
  /** Whose turn it is. */
  whose: z.string(),
  isMine: z.boolean(),
  /** Campaign to open, where there is one. */
  campaign: z.string().nullable(),
  /** The screen to open; of what is not mine, releases alone. */
  screen: z.enum(['judge', 'adjudicate', 'write', 'review', 'rate', 'discuss', 'releases']).optional(),
  /** When its campaign closes by itself. */
  dueAt: z.string().optional(),
})
const Person = z.object({
  user: z.string(),
  name: z.string(),
  email: z.string(),
  role: Role,
  isDisabled: z.boolean(),
  joinedAt: z.string(),
  /** What they may be asked about, expired ones among them. */
  credentials: z.array(
    z.object({
      id: z.string(),
      expertise: z.string(),
      proof: z.string(),
      expiresAt: z.string().nullable(),
      isExpired: z.boolean(),
      by: z.string(),
      at: z.string(),
    }),
  ),
})

export const PROJECTS = {
  'POST /api/projects': {
    summary: 'A new project, empty or with the objective, guideline and prompts of a domain; who makes it owns it',
    access: 'administrator',
    body: z.strictObject({ name: Text(120), domain: DomainName.optional() }),
    answer: z.object({ slug: z.string(), name: z.string() }),
  },
  'GET /api/projects/{project}': {
    summary: 'The loop as it stands, and what waits for whom',
    access: EVERY_ROLE,
    answer: z.object({
      name: z.string(),
      slug: z.string(),
      role: Role,
      steps: z.array(Step),
      waiting: z.array(Waiting),
    }),
  },
  'GET /api/projects/{project}/people': {
    summary: 'Who is in the project, and as what',
    access: OBSERVERS,
    answer: z.object({ people: z.array(Person) }),
  },
  'POST /api/projects/{project}/invitations': {
    summary:
      'A link to hand over, good for one person within a week; a lead may invite annotators, reviewers, engineers and viewers',
    access: LEADS,
    body: z.strictObject({ role: Role }),
    answer: z.object({ token: z.string() }),
  },
  'PUT /api/projects/{project}/people/{user}': {
    summary: 'Change a role; that person signs in anew',
    access: OWNERS,
    body: z.strictObject({ role: Role }),
    answer: 'nothing',
  },
  'DELETE /api/projects/{project}/people/{user}': {
    summary: 'Take a person out of the project; what they judged stays',
    access: OWNERS,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/people/{user}/password-link': {
    summary: 'A link by which that person chooses a new password',
    access: OWNERS,
    answer: z.object({ token: z.string() }),
  },
  'POST /api/projects/{project}/people/{user}/credentials': {
    summary: 'This person knows enough of it to be asked, until it expires; what shows it is kept',
    access: LEADS,
    body: z.strictObject({
      expertise: Expertise,
      proof: z.string().trim().max(400).default(''),
      days: z.number().int().min(1).max(3650).nullable().default(null),
    }),
    answer: z.object({ id: z.string() }),
  },
  'DELETE /api/projects/{project}/people/{user}/credentials/{credential}': {
    summary: 'Ask them no more about it; what they answered stays',
    access: LEADS,
    answer: 'nothing',
  },
  'GET /api/projects/{project}/audit': {
    summary: 'The newest entries of the project’s audit log',
    access: LEADS,
    query: z.object({ before: z.coerce.number().int().positive().optional() }),
    answer: z.object({
      entries: z.array(
        z.object({
          id: z.number(),
          at: z.string(),
          actor: z.string().nullable(),
          action: z.string(),
          subject: z.string(),
          detail: z.record(z.string(), z.unknown()),
        }),
      ),
    }),
  },
  'GET /api/audit': {
    summary: 'The whole audit log of the installation as JSON lines, each with the hash that chains it',
    access: 'administrator',
    answer: 'file',
  },
  'GET /api/audit/verdict': {
    summary: 'Walks the chain of the audit log',
    access: 'administrator',
    answer: z.object({
      rows: z.number(),
      head: z.string(),
      brokenAt: z.number().optional(),
      because: z.string().optional(),
    }),
  },
} satisfies Record<string, Endpoint>
