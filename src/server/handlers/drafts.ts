// Half-written objectives and guidelines: kept as they are written, dropped when they are saved as a version or discarded.
import { dropUnsaved, type Editor, findUnsaved, keepUnsaved, type Project, type User } from '#store'
import type { Handlers } from '../call.ts'
import type { BodyOf } from '../contract.ts'

type Drafts = Pick<
  Handlers,
  | 'GET /api/projects/{project}/objective/draft'
  | 'PUT /api/projects/{project}/objective/draft'
  | 'DELETE /api/projects/{project}/objective/draft'
  | 'GET /api/projects/{project}/guideline/draft'
  | 'PUT /api/projects/{project}/guideline/draft'
  | 'DELETE /api/projects/{project}/guideline/draft'
>
type OfObjective = BodyOf<'PUT /api/projects/{project}/objective/draft'>
type OfGuideline = BodyOf<'PUT /api/projects/{project}/guideline/draft'>

export const draftHandlers: Drafts = {
  'GET /api/projects/{project}/objective/draft': async (call) => {
    const kept = await findUnsaved(call.service.store.query, placeOf(call, 'objective'))
    return { draft: (kept?.content as OfObjective | undefined) ?? null, savedAt: kept?.savedAt ?? null }
  },

  'PUT /api/projects/{project}/objective/draft': async (call) => ({
    savedAt: await keepUnsaved(call.service.store.query, placeOf(call, 'objective'), call.body),
  }),

  'DELETE /api/projects/{project}/objective/draft': async (call) =>
    dropUnsaved(call.service.store.query, placeOf(call, 'objective')),

  'GET /api/projects/{project}/guideline/draft': async (call) => {
    const kept = await findUnsaved(call.service.store.query, placeOf(call, 'guideline'))
    return { draft: (kept?.content as OfGuideline | undefined) ?? null, savedAt: kept?.savedAt ?? null }
  },

  'PUT /api/projects/{project}/guideline/draft': async (call) => ({
    savedAt: await keepUnsaved(call.service.store.query, placeOf(call, 'guideline'), call.body),
  }),

  'DELETE /api/projects/{project}/guideline/draft': async (call) =>
    dropUnsaved(call.service.store.query, placeOf(call, 'guideline')),
}

function placeOf({ project, user }: { project: Project; user: User }, editor: Editor) {
  return { project: project.id, user: user.id, editor }
}
