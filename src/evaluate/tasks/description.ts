// What a task file says of itself: how prompts are made, how answers are scored, how completions are drawn. One object with
// `rows`, or the first line of a JSONL file whose other lines are rows. After lm-evaluation-harness' task files; left out:
// code in the file (Jinja with filters, Python by name), since a task is data.
import { z } from 'zod'

const text = z.string().min(1)
const regex = z.strictObject({ kind: z.literal('regex'), pattern: text.optional(), flags: z.string().optional() })
const numeric = z.strictObject({ kind: z.literal('numeric'), tolerance: z.number().nonnegative().optional() })
const json = z.strictObject({ kind: z.literal('json'), schema: z.record(z.string(), z.unknown()).optional() })
const choice = z.strictObject({
  kind: z.literal('choice'),
  by: z.enum(['text', 'letter']).default('text').describe('what is scored: the text of a choice, or its letter'),
})

export const SCORERS = ['exact', 'contains', 'regex', 'numeric', 'json', 'choice'] as const

/** A name alone, or with its settings. */
export const Scorer = z.preprocess(
  (value) => (typeof value === 'string' ? { kind: value } : value),
  z.discriminatedUnion(
    'kind',
    [
      z.strictObject({ kind: z.literal('exact') }),
      z.strictObject({ kind: z.literal('contains') }),
      regex,
      numeric,
      json,
      choice,
    ],
    { error: `expected one of ${SCORERS.join(', ')}` },
  ),
)
export type Scorer = z.infer<typeof Scorer>

/** Of one completion, as the flags of `hone generate` have it. Greedy unless it says otherwise. */
export const Sampling = z
  .strictObject({
    maxTokens: z.number().int().positive().default(256),
    temperature: z.number().nonnegative().default(0),
    topP: z.number().gt(0).max(1).default(1),
    topK: z.number().int().nonnegative().default(0),
    minP: z.number().min(0).lt(1).default(0),
    repetitionPenalty: z.number().positive().default(1),
    stop: z.array(text).default([]),
    n: z.number().int().positive().default(1).describe('completions of each prompt'),
  })
  .superRefine((s, context) => {
    const isIgnored = { topP: s.topP !== 1, topK: s.topK !== 0, minP: s.minP !== 0, n: s.n !== 1 }
    const ignored = Object.entries(isIgnored).find(([, is]) => is)
    if (s.temperature === 0 && ignored)
      context.addIssue({
        code: 'custom',
        path: [ignored[0]],
        message: 'would be ignored at temperature 0: nothing is drawn',
      })
  })
export type Sampling = z.infer<typeof Sampling>

const rows = z.union([z.array(z.record(z.string(), z.unknown())).min(1), text], {
  error: 'expected a list of rows, or the name of a JSONL file that lies beside this one',
})

export const Description = z
  .strictObject({
    name: z.string().regex(/^[\w-]+$/, 'expected letters, digits, _ and -: gates call the task by it'),
    description: z.string().optional(),
    prompt: text.optional().describe('template: {{field}} is a field of the row, {{choices}} the choices by letter'),
    chat: z.boolean().default(false).describe('a text prompt is a user turn and goes through the chat template'),
    scorer: Scorer,
    shots: z
      .number()
      .int()
      .nonnegative()
      .default(0)
      .describe('answered examples before each prompt, drawn by the seed'),
    examples: rows.optional().describe('what these are drawn from; without it, the other rows'),
    delimiter: z.string().optional().describe('between a text prompt and its answer; a space unless given'),
    separator: z.string().optional().describe('between examples; an empty line unless given'),
    sampling: Sampling.optional(),
    seed: z.number().int().nonnegative().default(0),
    rows: rows.optional(),
  })
  .superRefine((d, context) => {
    const refuse = (path: keyof typeof d, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    const isChoice = d.scorer.kind === 'choice'
    if (d.examples !== undefined && d.shots === 0) refuse('examples', 'would be ignored while shots is 0')
    if (d.separator !== undefined && (d.shots === 0 || d.chat))
      refuse('separator', 'would be ignored: it stands between examples that are text')
    if (d.delimiter !== undefined && (d.chat || (!isChoice && d.shots === 0)))
      refuse('delimiter', 'would be ignored: it stands between a prompt that is text and an answer that is given')
    if (d.sampling !== undefined && isChoice)
      refuse('sampling', 'would be ignored: choices are scored, nothing is drawn')
  })
export type Description = z.infer<typeof Description>
