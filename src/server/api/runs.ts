// Runs: what may be ordered, what is running and what it left, and what people ask of the trainer.
import { z } from 'zod'
import { Preference, RecipeName } from '#schema'
import { type Endpoint, KEEPERS, OBSERVERS, PARAMETERS } from './endpoint.ts'

const JobState = z.enum(['queued', 'running', 'waiting', 'paused', 'stopped', 'failed', 'done'])

const Run = z.object({
  run: z.string(),
  recipe: z.string(),
  /** `broken-off`: begun at the command line, and its process is gone. */
  state: z.enum([...JobState.options, 'broken-off']),
  /** Asked of a running one and not yet done. */
  wish: z.enum(['stop', 'pause']).nullable(),
  reason: z.string(),
  step: z.number().nullable(),
  /** Steps in all, where they are known. */
  of: z.number().nullable(),
  /** The newest of the few figures that say how good it is. */
  figures: z.array(z.object({ name: z.string(), value: z.number() })),
  isSimulated: z.boolean(),
  /** Null: begun at the command line. */
  by: z.string().nullable(),
  madeAt: z.string(),
  attempts: z.number(),
  /** The judgements that it waits for. */
  waitsFor: z.object({ campaign: z.string(), name: z.string(), step: z.number(), missing: z.number() }).nullable(),
  /** What may be asked of it now. */
  may: z.array(z.enum(['stop', 'pause', 'resume'])),
})

/**
 * What can be done about something that rests on withdrawn answers. `trainable`: at once, without them. `superseded`: nothing more, a
 * run has taken its place. `order`, `evaluate`: by a form, filled in with what took the place of its inputs. `stale`: what `why` says.
 */
export const Again = z.discriminatedUnion('is', [
  z.object({ is: z.literal('trainable'), run: z.string(), why: z.string() }),
  z.object({ is: z.literal('superseded'), by: z.string(), state: Run.shape.state }),
  z.object({ is: z.literal('order'), run: z.string(), why: z.string() }),
  z.object({ is: z.literal('evaluate'), models: z.array(z.string()) }),
  z.object({ is: z.literal('stale'), why: z.string() }),
])

const Named = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, 'expected a name of a-z, 0-9, _ and -, at most 40')
/** Rule terms, or whole texts. */
const FileKind = z.enum(['rules', 'texts'])
const Settings = z.record(z.string(), z.union([z.string().max(200), z.number(), z.boolean()]))

const Sample = z.object({
  step: z.number(),
  prompt: z.string(),
  completion: z.string(),
  metrics: z.record(z.string(), z.number()),
})
const Row = z.record(z.string(), z.unknown())
const Told = z.looseObject({ step: z.number() })

/**
 * `rows`: of metrics.jsonl, where a row with `kind` is an alarm or a mark. `again`: the run went back to its checkpoint
 * further than you have seen: read it anew.
 */
export const RunEvent = z.discriminatedUnion('event', [
  z.object({ event: z.literal('state'), data: Run }),
  z.object({ event: z.literal('rows'), data: z.array(Row) }),
  z.object({ event: z.literal('clock'), data: z.array(Row) }),
  z.object({ event: z.literal('samples'), data: z.array(Sample) }),
  z.object({ event: z.literal('log'), data: z.array(z.string()) }),
  z.object({ event: z.literal('again'), data: z.object({}) }),
])
export type RunEvent = z.output<typeof RunEvent>

export const RUNS = {
  'GET /api/projects/{project}/recipes': {
    summary: 'What a run may be ordered with: the recipes as JSON Schema, and the models and datasets there are',
    access: OBSERVERS,
    answer: z.object({
      recipes: z.array(
        z.object({
          name: RecipeName,
          title: z.string(),
          /** `takes` of a property says what it may name. */
          inputs: z.record(z.string(), z.unknown()),
          settings: z.record(z.string(), z.unknown()),
          computing: z.record(z.string(), z.unknown()),
        }),
      ),
      models: z.array(z.object({ name: z.string(), recipe: z.string() })),
      datasets: z.array(z.object({ name: z.string(), kind: z.string(), rows: z.number() })),
      /** What earlier runs took beside datasets, by its path in the workspace. */
      files: z.array(z.object({ file: z.string(), kind: FileKind, words: z.string() })),
    }),
  },
  'POST /api/projects/{project}/run-files': {
    summary:
      'A file that a run takes beside datasets, checked and kept by its content: a JSON array of rule terms, or rows {"text"}',
    access: KEEPERS,
    query: z.object({ kind: FileKind, file: z.string().max(200).optional() }),
    body: 'file',
    answer: z.object({ file: z.string(), count: z.number(), isNew: z.boolean() }),
  },
  'GET /api/projects/{project}/runs': {
    summary: 'Runs, newest first; those of the command line too',
    access: OBSERVERS,
    answer: z.object({ runs: z.array(Run) }),
  },
  'POST /api/projects/{project}/runs': {
    summary: 'Order a run; the trainer takes it when it is free. 422 names the fields that are wrong',
    access: KEEPERS,
    body: z.strictObject({
      name: Named,
      recipe: RecipeName,
      inputs: z.record(z.string(), z.union([z.string().max(200), z.number()])),
      settings: Settings.default({}),
      computing: Settings.default({}),
      /** The run whose place it takes: one that rests on withdrawn answers. */
      supersedes: PARAMETERS.run.optional(),
    }),
    answer: z.object({ run: z.string() }),
  },
  'GET /api/projects/{project}/runs/{run}': {
    summary: 'One run: config, inputs, checkpoints, outcome',
    access: OBSERVERS,
    answer: Run.extend({
      config: z.record(z.string(), z.unknown()),
      inputs: z.array(z.object({ role: z.string(), name: z.string(), hash: z.string() })),
      checkpoints: z.array(z.number()),
      /** What the trainer typed, or would. */
      command: z.string(),
      outcome: z.string(),
      /** That it was begun under; `number`: of the version that it is. */
      objective: z.object({ id: z.string(), name: z.string().nullable(), number: z.number().nullable() }).nullable(),
      /** Said where models or rows that went in were of other objectives. */
      objectivesDiffer: z.string().nullable(),
      /** The run whose place it took, and why, where that is known. */
      supersedes: z.object({ run: z.string(), why: z.string().nullable() }).nullable(),
      supersededBy: z.object({ run: z.string(), state: Run.shape.state, why: z.string().nullable() }).nullable(),
    }),
  },
  'GET /api/projects/{project}/runs/{run}/again': {
    summary:
      'Whether the run rests on withdrawn answers, what can be done about that, and the order to fill a form in with',
    access: KEEPERS,
    answer: z.object({
      again: Again.nullable(),
      order: z
        .object({
          name: z.string(),
          recipe: RecipeName,
          inputs: z.record(z.string(), z.string()),
          settings: Settings,
          computing: Settings,
        })
        .nullable(),
    }),
  },
  'POST /api/projects/{project}/runs/{run}/again': {
    summary:
      'Train again without the withdrawn answers: a new run of the same recipe and settings that supersedes this one; asked again, the same answer',
    access: KEEPERS,
    answer: z.object({ run: z.string(), isNew: z.boolean() }),
  },
  'GET /api/projects/{project}/runs/{run}/curves': {
    summary: 'Metrics by step, thinned to the least and greatest of each bucket; alarms, marks, the end of the log',
    access: OBSERVERS,
    query: z.object({ points: z.coerce.number().int().min(2).max(20_000).default(600) }),
    answer: z.object({
      /** Where the live events go on after this. */
      place: z.string(),
      count: z.number(),
      series: z.array(z.object({ name: z.string(), steps: z.array(z.number()), values: z.array(z.number()) })),
      /** The last lines of what its process said. */
      log: z.array(z.string()),
      alarms: z.array(Told),
      marks: z.array(Told),
      /** Steps beside their time (ms since 1970) and the tokens trained on until then. */
      axes: z.object({ steps: z.array(z.number()), at: z.array(z.number()), tokens: z.array(z.number()) }),
    }),
  },
  'GET /api/projects/{project}/runs/{run}/metrics': {
    summary: 'Every metric of every step as CSV',
    access: OBSERVERS,
    answer: 'file',
  },
  'GET /api/projects/{project}/runs/{run}/samples': {
    summary: 'Completions of the watched prompts along the run, as text',
    access: OBSERVERS,
    answer: z.object({ samples: z.array(Sample) }),
  },
  'GET /api/projects/{project}/runs/{run}/preferences': {
    summary: 'What judgements were made into and the run learns from, a page at a time; `from` of a row: their ids',
    access: KEEPERS,
    query: z.object({ from: z.coerce.number().int().nonnegative().default(0) }),
    answer: z.object({ preferences: z.array(Preference.omit({ annotators: true })), isLast: z.boolean() }),
  },
  'GET /api/projects/{project}/runs/{run}/events': {
    summary: 'What happens to the run, live; `from` or Last-Event-ID says what was seen',
    access: OBSERVERS,
    query: z.object({ from: z.string().max(80).optional() }),
    answer: { events: RunEvent },
  },
  'POST /api/projects/{project}/runs/{run}/stop': {
    summary: 'Save and end',
    access: KEEPERS,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/runs/{run}/pause': {
    summary: 'Save, and leave the trainer to others until it is resumed',
    access: KEEPERS,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/runs/{run}/resume': {
    summary: 'Go on from the last checkpoint; also with a run that was begun at the command line',
    access: KEEPERS,
    answer: 'nothing',
  },
  'POST /api/projects/{project}/runs/{run}/branch': {
    summary: 'A new run that goes on from a checkpoint of this one with other settings',
    access: KEEPERS,
    body: z.strictObject({ name: Named, step: z.number().int().nonnegative(), settings: Settings.default({}) }),
    answer: z.object({ run: z.string() }),
  },
} satisfies Record<string, Endpoint>
