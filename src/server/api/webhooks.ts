// Webhooks: what happens in the project is told to other programs, signed, and tried again until they took it.
import { z } from 'zod'
import { type Endpoint, KEEPERS, LEADS, Text } from './endpoint.ts'

/** Actions of the audit log that are told; people’s own answers are not among them. */
export const WebhookEvent = z.enum([
  'dataset.import',
  'guideline.change',
  'objective.save',
  'campaign.create',
  'campaign.state',
  'campaign.deadline',
  'campaign.export',
  'item.flag',
  'judgements.withdraw',
  'judgements.restore',
  'fill.done',
  'run.start',
  'run.waiting',
  'run.done',
  'run.failed',
  'evaluation.create',
  'evaluation.record',
  'candidacy.create',
  'candidacy.sign',
  'gate.waive',
  'release.rollback',
  'release.lapse',
  'member.join',
  'member.role',
  'member.remove',
])

const Delivery = z.object({
  id: z.string(),
  event: z.string(),
  subject: z.string(),
  at: z.string(),
  attempts: z.number(),
  state: z.enum(['waiting', 'delivered', 'failed']),
  /** When it is sent next; null: no more. */
  dueAt: z.string().nullable(),
  /** Of the last attempt; null: nothing was answered. */
  status: z.number().nullable(),
  problem: z.string(),
})

export const WEBHOOKS = {
  'GET /api/projects/{project}/webhooks': {
    summary: 'Webhooks, newest first, without what they are signed with; and what may be told',
    access: KEEPERS,
    answer: z.object({
      webhooks: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          url: z.string(),
          events: z.array(z.string()),
          by: z.string(),
          madeAt: z.string(),
          waiting: z.number(),
          failed: z.number(),
        }),
      ),
      events: z.array(WebhookEvent),
    }),
  },
  'POST /api/projects/{project}/webhooks': {
    summary: 'Tell a program what happens; the secret by which it checks signatures is told once',
    access: LEADS,
    body: z.strictObject({
      name: Text(80),
      url: z.string().trim().min(1).max(2000),
      events: z.array(WebhookEvent).min(1).max(WebhookEvent.options.length),
    }),
    answer: z.object({ id: z.string(), secret: z.string() }),
  },
  'DELETE /api/projects/{project}/webhooks/{webhook}': {
    summary: 'Tell it no more; what was not sent yet is not sent',
    access: LEADS,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/webhooks/{webhook}/test': {
    summary: 'Send a delivery that tells of nothing, and look at its outcome',
    access: LEADS,
    answer: z.object({ id: z.string() }),
  },
  'GET /api/projects/{project}/webhooks/{webhook}/deliveries': {
    summary: 'The newest deliveries with their outcome',
    access: KEEPERS,
    answer: z.object({ deliveries: z.array(Delivery) }),
  },
  'POST /api/projects/{project}/webhooks/{webhook}/deliveries/{delivery}/again': {
    summary: 'Send a delivery once more, under the same id',
    access: LEADS,
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
