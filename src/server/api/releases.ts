// Releases: candidacies with the evidence of every rule, waivers, signatures, the history of names, keys for programs, and
// OpenAI's API by release name.
import { z } from 'zod'
import { type Endpoint, KEEPERS, LEADS, OBSERVERS, Text } from './endpoint.ts'

const GateResult = z.object({
  name: z.string(),
  passed: z.boolean(),
  evidence: z.string(),
  rule: z.string().optional(),
})
const Bound = z.enum(['value', 'low', 'high'])
const Rule = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    statistic: z.string().trim().min(1).max(300),
    bound: Bound,
    comparison: z.enum(['above', 'below', 'at-least', 'at-most']),
    value: z.union([
      z.number(),
      z.strictObject({
        statistic: z.string().min(1).max(300),
        bound: Bound.default('value'),
        times: z.number().default(1),
        plus: z.number().default(0),
      }),
    ]),
    /** Coverage that the interval must have. */
    level: z.number().gt(0).lt(1).optional(),
  })
  .refine(
    ({ bound, value, level }) =>
      level === undefined || bound !== 'value' || (typeof value !== 'number' && value.bound !== 'value'),
    { path: ['level'], message: 'would be ignored: a point has no level' },
  )
const Waiver = z.object({
  id: z.string(),
  gate: z.string(),
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  expiresAt: z.string(),
  /** False: it has expired, and no longer counts. */
  counts: z.boolean(),
})
const Candidacy = z.object({
  id: z.string(),
  release: z.string(),
  model: z.string(),
  hash: z.string(),
  evaluations: z.array(z.object({ hash: z.string(), name: z.string(), label: z.string().optional() })),
  gates: z.array(GateResult),
  /** Id of the objective in force when it was asked. */
  objective: z.string().nullable(),
  /** Said where evaluations, models or labels were of other objectives. */
  objectivesDiffer: z.string().nullable(),
  simulated: z.boolean(),
  askedBy: z.string(),
  askedAt: z.string(),
  signedBy: z.string().nullable(),
  signedAt: z.string().nullable(),
  signOff: z.enum(['released', 'refused']).nullable(),
  signReason: z.string(),
  waivers: z.array(Waiver),
  /** Of the rules and the waivers that count now. */
  verdict: z.enum(['passed', 'passed by waiver', 'refused']),
  isMine: z.boolean(),
})
const Entry = z.object({
  id: z.number(),
  candidacy: z.string(),
  model: z.string(),
  hash: z.string(),
  simulated: z.boolean(),
  backTo: z.number().nullable(),
  reason: z.string(),
  by: z.string(),
  at: z.string(),
  /** Since when it rests on a waiver that has expired; null: it does not. */
  lapsedAt: z.string().nullable(),
})
const ReleaseName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'expected lower-case letters, digits, dot, _ and -')
const Scope = z.enum(['models', 'completions'])

/** Who may sign: a second person is what counts, so owners may where a team has no reviewer. */
const SIGNERS = ['owner', 'reviewer'] as const

export const RELEASES = {
  'GET /api/projects/{project}/releases': {
    summary: 'Names and what they stand for, with all of their history; candidacies; rules that were used last',
    access: OBSERVERS,
    answer: z.object({
      releases: z.array(z.object({ name: z.string(), history: z.array(Entry) })),
      candidacies: z.array(Candidacy),
      rules: z.array(Rule),
    }),
  },
  'POST /api/projects/{project}/candidacies': {
    summary: 'Put a model to rules over its evaluations; what the rules say is kept with its evidence',
    access: KEEPERS,
    body: z.strictObject({
      release: ReleaseName,
      rules: z.array(Rule).min(1).max(100),
      /** `hash`: of the evaluation’s file. `label`: an earlier model’s, to compare with. */
      evaluations: z
        .array(
          z.strictObject({
            hash: z.string().regex(/^[0-9a-f]{64}$/),
            label: z
              .string()
              .regex(/^[\w-]{1,40}$/)
              .optional(),
          }),
        )
        .min(1)
        .max(50),
    }),
    answer: z.object({ id: z.string() }),
  },
  'POST /api/projects/{project}/candidacies/{candidacy}/waivers': {
    summary: 'Waive one rule that failed, by name, with a reason and for so many days',
    access: LEADS,
    body: z.strictObject({
      gate: z.string().min(1).max(200),
      reason: Text(2000),
      days: z.number().int().min(1).max(365),
    }),
    answer: 'nothing',
  },
  'POST /api/projects/{project}/candidacies/{candidacy}/signature': {
    summary:
      'Sign what somebody else asked for: released, and the name stands for these weights from now on; or refused',
    access: SIGNERS,
    body: z.strictObject({ signOff: z.enum(['released', 'refused']), reason: z.string().trim().max(2000).default('') }),
    answer: 'nothing',
  },
  'POST /api/projects/{project}/releases/{release}/rollback': {
    summary: 'Back to an earlier entry of this name, as a new entry',
    access: ['owner', 'lead', 'reviewer'],
    body: z.strictObject({ to: z.number().int().positive(), reason: Text(2000) }),
    answer: 'nothing',
  },
  'GET /api/projects/{project}/api-keys': {
    summary: 'Keys of programs, without what they hold',
    access: KEEPERS,
    answer: z.object({
      keys: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          prefix: z.string(),
          scopes: z.array(Scope),
          perMinute: z.number(),
          by: z.string(),
          madeAt: z.string(),
          expiresAt: z.string().nullable(),
          revokedAt: z.string().nullable(),
          usedAt: z.string().nullable(),
        }),
      ),
    }),
  },
  'POST /api/projects/{project}/api-keys': {
    summary: 'A key for a program; it is told once and never again',
    access: LEADS,
    body: z.strictObject({
      name: Text(80),
      scopes: z.array(Scope).min(1).default(['models', 'completions']),
      perMinute: z.number().int().min(1).max(10_000).default(60),
      days: z.number().int().min(1).max(3650).nullable().default(null),
    }),
    answer: z.object({ id: z.string(), key: z.string() }),
  },
  'DELETE /api/projects/{project}/api-keys/{key}': {
    summary: 'Revoke a key; from now on nobody gets in by it',
    access: LEADS,
    answer: 'nothing',
  },
  'GET /v1/models': {
    summary: 'Releases of the key’s project, as OpenAI lists models',
    access: { scope: 'models' },
    answer: z.object({
      object: z.literal('list'),
      data: z.array(
        z.object({
          id: z.string(),
          object: z.literal('model'),
          created: z.number(),
          owned_by: z.string(),
          /** Since when, in seconds, the release rests on a waiver that has expired. */
          waiver_expired: z.number().optional(),
        }),
      ),
    }),
  },
  'POST /v1/chat/completions': {
    summary:
      'OpenAI’s chat completions; `model` is the name of a release. x-hone-release in the answer: its waiver has expired',
    access: { scope: 'completions' },
    body: z.looseObject({ model: z.string().min(1).max(200) }),
    answer: 'response',
  },
  'POST /v1/completions': {
    summary:
      'OpenAI’s text completions; `model` is the name of a release. x-hone-release in the answer: its waiver has expired',
    access: { scope: 'completions' },
    body: z.looseObject({ model: z.string().min(1).max(200) }),
    answer: 'response',
  },
} satisfies Record<string, Endpoint>
