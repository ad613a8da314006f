// What an endpoint is: who may call it, what it takes, what it answers. The API is a table of these by `METHOD /path`;
// mounting, permissions, the OpenAPI document and the web's client are all read from it, so none can be forgotten.
import { z } from 'zod'
import { Role } from '#schema'

/**
 * `set-up`: only while nobody has an account. `anyone`: without a session. `signed-in`: any account. `administrator`: of
 * the installation. A list: members of the path's {project} in one of these roles; to all others the project is not there.
 * A scope: programs with a key of a project that has it; no session is looked at.
 */
export type Access = 'set-up' | 'anyone' | 'signed-in' | 'administrator' | readonly Role[] | { scope: KeyScope }
/** What a program's key is good for. */
export type KeyScope = 'models' | 'completions'

export type Endpoint = {
  summary: string
  access: Access
  query?: z.ZodObject
  /** JSON, or a file as the request's body. */
  body?: z.ZodType | 'file'
  /** JSON, nothing (204), a file, a response that another process made, or events as they happen. What the schema does not name never leaves the server. */
  answer: z.ZodType | 'nothing' | 'file' | 'response' | { events: z.ZodType }
}

export const EVERY_ROLE = Role.options
/** Who sees how the work goes: not annotators, whose screens are blind. */
export const OBSERVERS = ['owner', 'lead', 'engineer', 'reviewer', 'viewer'] as const
export const LEADS = ['owner', 'lead'] as const
/** Who may be given something to judge. */
export const JUDGES = ['owner', 'lead', 'engineer', 'reviewer', 'annotator'] as const
/** Who brings data in and takes it out. */
export const KEEPERS = ['owner', 'lead', 'engineer'] as const
export const OWNERS = ['owner'] as const

/** What each {name} in a path looks like; anything else is not found. */
export const PARAMETERS = {
  project: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
  user: z.uuid(),
  campaign: z.uuid(),
  submission: z.uuid(),
  fill: z.uuid(),
  evaluation: z.uuid(),
  withdrawal: z.uuid(),
  credential: z.uuid(),
  webhook: z.uuid(),
  delivery: z.uuid(),
  candidacy: z.uuid(),
  key: z.uuid(),
  release: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  item: z.string().regex(/^[1-9][0-9]{0,14}$/),
  run: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/),
  dataset: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/),
  /** Of a version. */
  number: z.string().regex(/^[1-9][0-9]{0,8}$/),
} as const

/** Of a version, whole. */
export const Hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected the 64 digits of a version')
/** In UTC, since databases know fewer years and offsets than ISO 8601 has. */
export const Moment = z.iso
  .datetime({ offset: true })
  .refine((text) => {
    const year = new Date(text).getUTCFullYear()
    return year >= 1 && year <= 9999
  }, 'expected a year from 1 to 9999')
  .transform((text) => new Date(text).toISOString())
/** In which somebody was at work on one item: a day at most. */
export const ActiveSeconds = z.number().min(0).max(86_400)
/** A word for what people know: cardiology, tax-law. */
export const Expertise = z
  .string()
  .trim()
  .toLowerCase()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected lower-case letters, digits and hyphens, 40 at most')
/** Of a bundled domain; without one a project begins empty. */
export const DomainName = z.string().max(80)
export const Text = (most: number) => z.string().trim().min(1).max(most)
export const Email = z.string().trim().toLowerCase().max(254).pipe(z.email())
/** By OWASP ASVS 5: long enough, no rules of composition, everything that can be typed. */
export const Password = z.string().min(12, 'expected at least 12 characters').max(128)
export const Token = z.string().min(20).max(100)
