// Webhooks: added, removed, tried, and what became of their deliveries. They are sent beside the requests.
import { HttpError } from '#errors'
import {
  addDelivery,
  audit,
  createWebhook,
  findWebhook,
  listDeliveries,
  listWebhooks,
  type Project,
  type Query,
  removeWebhook,
  repeatDelivery,
} from '#store'
import { WebhookEvent } from '../api/webhooks.ts'
import type { Handlers } from '../call.ts'
import { webhookUrl } from '../webhooks/addresses.ts'
import { secretOf } from '../webhooks/sending.ts'

type Webhooks = Pick<Handlers, Extract<keyof Handlers, `${string}/webhooks${string}`>>

const DELIVERIES_SHOWN = 50

export const webhookHandlers: Webhooks = {
  'GET /api/projects/{project}/webhooks': async ({ service, project }) => ({
    webhooks: await listWebhooks(service.store.query, project.id),
    events: [...WebhookEvent.options],
  }),

  'POST /api/projects/{project}/webhooks': async ({ service, project, user, body }) => {
    const { name, events } = body
    const { href: url, host } = webhookUrl(body.url)
    const id = await service.store.transaction(async (query) => {
      const made = await createWebhook(query, { project: project.id, name, url, events, by: user.id })
      const detail = { name, host, events }
      await audit(query, { actor: user.id, project: project.id, action: 'webhook.create', subject: made, detail })
      return made
    })
    return { id, secret: `whsec_${secretOf(service.workspace, id).toString('base64')}` }
  },

  'DELETE /api/projects/{project}/webhooks/{webhook}': async ({ service, project, user, params }) =>
    service.store.transaction(async (query) => {
      if (!(await removeWebhook(query, project.id, params.webhook))) throw none()
      await audit(query, { actor: user.id, project: project.id, action: 'webhook.remove', subject: params.webhook })
    }),

  'POST /api/projects/{project}/webhooks/{webhook}/test': async ({ service, project, user, params }) => {
    const id = await service.store.transaction(async (query) => {
      await mustHave(query, project, params.webhook)
      await audit(query, { actor: user.id, project: project.id, action: 'webhook.test', subject: params.webhook })
      return addDelivery(query, params.webhook, 'webhook.test')
    })
    service.sending.wake()
    return { id }
  },

  'GET /api/projects/{project}/webhooks/{webhook}/deliveries': async ({ service, project, params }) => {
    const { query } = service.store
    await mustHave(query, project, params.webhook)
    return { deliveries: await listDeliveries(query, params.webhook, DELIVERIES_SHOWN) }
  },

  'POST /api/projects/{project}/webhooks/{webhook}/deliveries/{delivery}/again': async (call) => {
    const { service, project, user, params } = call
    await service.store.transaction(async (query) => {
      await mustHave(query, project, params.webhook)
      if (!(await repeatDelivery(query, params.webhook, params.delivery)))
        throw new HttpError(404, 'there is no such delivery that has ended')
      const detail = { delivery: params.delivery }
      await audit(query, {
        actor: user.id,
        project: project.id,
        action: 'webhook.again',
        subject: params.webhook,
        detail,
      })
    })
    service.sending.wake()
  },
}

async function mustHave(query: Query, project: Project, id: string): Promise<void> {
  if (!(await findWebhook(query, project.id, id))) throw none()
}

const none = (): HttpError => new HttpError(404, 'there is no such webhook')
