// Models of the workspace, and fills: what models answer to the prompts of a dataset, paired into comparisons for people.
import { z } from 'zod'
import { Prompt } from '#schema'
import { type Endpoint, KEEPERS, OBSERVERS, PARAMETERS } from './endpoint.ts'

const Fill = z.object({
  id: z.string(),
  name: z.string(),
  prompts: z.string(),
  promptsVersion: z.string(),
  promptCount: z.number(),
  models: z.array(z.object({ name: z.string(), hash: z.string().optional() })),
  n: z.number(),
  seed: z.number(),
  temperature: z.number(),
  topP: z.number(),
  maxTokens: z.number(),
  state: z.enum(['waiting', 'drawing', 'done', 'failed', 'stopped']),
  problem: z.string().nullable(),
  version: z.string().nullable(),
  by: z.string(),
  madeAt: z.string(),
  /** Samples there are, of all that are wanted. */
  drawn: z.number(),
  wanted: z.number(),
})

/** How completions are drawn; shared by all that draw them. */
export const DRAWING = {
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0),
  temperature: z.number().min(0.01).max(2).default(1),
  topP: z.number().min(0.01).max(1).default(1),
  maxTokens: z.number().int().min(1).max(4096).default(256),
}
export const ModelName = z.string().min(1).max(200)

export const FILLS = {
  'GET /api/projects/{project}/models': {
    summary: 'Language models: of runs, their checkpoints, folders under models/, and the bundled base',
    access: OBSERVERS,
    answer: z.object({
      models: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(['run', 'checkpoint', 'folder', 'base', 'release']),
          recipe: z.string().nullable(),
          isSimulated: z.boolean(),
        }),
      ),
    }),
  },
  'GET /api/projects/{project}/fills': {
    summary: 'Samples that are drawn or were, newest first',
    access: OBSERVERS,
    answer: z.object({ fills: z.array(Fill) }),
  },
  'POST /api/projects/{project}/fills': {
    summary: 'Draw samples of one model, or of two to be held against each other, and pair them into a dataset',
    access: KEEPERS,
    body: z
      .strictObject({
        name: PARAMETERS.dataset,
        prompts: PARAMETERS.dataset,
        models: z.array(ModelName).min(1).max(2),
        n: z.number().int().min(1).max(16).default(2),
        ...DRAWING,
      })
      .refine(({ models, n }) => models.length === 2 || n % 2 === 0, {
        path: ['n'],
        message: 'expected an even number: samples of one model are paired with each other',
      }),
    answer: z.object({ id: z.string() }),
  },
  'GET /api/projects/{project}/fills/{fill}': {
    summary: 'One fill, and its first samples with who wrote them',
    access: OBSERVERS,
    answer: Fill.extend({
      samples: z.array(
        z.object({
          row: z.number(),
          prompt: Prompt,
          completions: z.array(
            z.object({ model: z.number(), sample: z.number(), completion: z.string(), finished: z.boolean() }),
          ),
        }),
      ),
    }),
  },
  'PUT /api/projects/{project}/fills/{fill}/state': {
    summary: 'Stop it, or go on where it was',
    access: KEEPERS,
    body: z.strictObject({ state: z.enum(['stopped', 'waiting']) }),
    answer: 'nothing',
  },
} satisfies Record<string, Endpoint>
