// One handler an endpoint; the type says when one is missing.
import type { Handlers } from '../call.ts'
import { openApiDocument } from '../openapi.ts'
import { accountHandlers } from './account.ts'
import { projectHandlers } from './projects.ts'

export const HANDLERS: Handlers = {
  ...accountHandlers,
  ...projectHandlers,
  'GET /api/openapi.json': async () => ({ type: 'application/json', body: JSON.stringify(openApiDocument()) }),
}
