// Campaigns of demonstrations: people write answers, a second person reviews them, and what was accepted becomes a dataset.
// Reviewers are not told who wrote, nor writers who reviewed.
import { z } from 'zod'
import { Prompt } from '#schema'
import { ADJUDICATORS } from './adjudication.ts'
import { SkipPolicy } from './campaigns.ts'
import { ActiveSeconds, type Endpoint, JUDGES, KEEPERS, OBSERVERS, PARAMETERS } from './endpoint.ts'

const MOST_CHARACTERS = 20_000
const Written = z.string().max(MOST_CHARACTERS)
const Submitted = Written.refine((text) => text.trim() !== '', 'expected an answer, got a blank one')
const State = z.enum(['waiting', 'accepted', 'returned', 'replaced', 'given-up', 'surplus', 'undone'])
const Outcome = z.enum(['accepted', 'fixed', 'returned'])

const Writing = z.object({
  campaign: z.object({
    id: z.string(),
    name: z.string(),
    state: z.enum(['open', 'paused', 'closed']),
    /** Nobody gets what is not assigned to them. */
    isManual: z.boolean(),
    deadline: z.string().nullable(),
    skipPolicy: SkipPolicy,
  }),
  /** This person has given all that one person may give. */
  isAtLimit: z.boolean(),
  guideline: z.object({ id: z.string(), number: z.number(), text: z.string(), hasRead: z.boolean() }),
  /** Null: nothing is left for this person now. */
  task: z
    .object({
      id: z.string(),
      prompt: Prompt,
      /** The answer to edit; null: an empty box. */
      drafted: z.string().nullable(),
      /** What was written so far. */
      draft: z.string().nullable(),
      /** What that took; null: not known. */
      activeSeconds: ActiveSeconds.nullable(),
      returned: z.object({ completion: z.string(), reason: z.string() }).nullable(),
    })
    .nullable(),
  /** The model whose tokens are counted. */
  tokensBy: z.string(),
  wanted: z.number(),
  written: z.number(),
  mine: z.array(
    z.object({
      id: z.string(),
      opening: z.string(),
      state: State,
      reason: z.string(),
      at: z.string(),
    }),
  ),
})
const Reviewing = z.object({
  campaign: z.object({ id: z.string(), name: z.string(), state: z.enum(['open', 'paused', 'closed']) }),
  guideline: z.object({ number: z.number(), text: z.string() }),
  /** That this person did not write. */
  waiting: z.number(),
  next: z
    .object({
      id: z.string(),
      prompt: Prompt,
      drafted: z.string().nullable(),
      completion: z.string(),
      editedWords: z.number().nullable(),
      tokens: z.number().nullable(),
      before: z.object({ completion: z.string(), reason: z.string() }).nullable(),
      /** What I said of it and took back; a completion where I fixed it. */
      own: z.object({ completion: z.string().nullable(), reason: z.string() }).nullable(),
    })
    .nullable(),
  /** My last reviews that stand, newest first. */
  mine: z.array(
    z.object({ submission: z.string(), opening: z.string(), outcome: Outcome, reason: z.string(), at: z.string() }),
  ),
})
const Shown = z.object({
  id: z.string(),
  item: z.string(),
  state: State,
  by: z.string(),
  at: z.string(),
  editedWords: z.number().nullable(),
  tokens: z.number().nullable(),
  review: z
    .object({
      by: z.string(),
      outcome: Outcome,
      reason: z.string(),
      editedWords: z.number().nullable(),
      at: z.string(),
    })
    .nullable(),
})

export const DEMONSTRATIONS = {
  'GET /api/projects/{project}/campaigns/{campaign}/demonstrations': {
    summary: 'How far the writing is, who wrote what, what came of it',
    access: OBSERVERS,
    answer: z.object({
      waiting: z.number(),
      accepted: z.number(),
      /** Of the accepted: with the reviewer's words in place of the author's. */
      fixed: z.number(),
      returned: z.number(),
      tokensBy: z.string(),
      people: z.array(
        z.object({
          user: z.string(),
          name: z.string(),
          written: z.number(),
          accepted: z.number(),
          returned: z.number(),
          /** Median of the active time of one, in seconds. */
          seconds: z.number(),
          tokens: z.number().nullable(),
        }),
      ),
      /** The newest. */
      submissions: z.array(Shown.extend({ opening: z.string() })),
    }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/demonstrations': {
    summary: 'What is accepted becomes a dataset version that fine-tuning takes',
    access: KEEPERS,
    body: z.strictObject({ dataset: PARAMETERS.dataset }),
    answer: z.object({
      name: z.string(),
      file: z.string(),
      version: z.string(),
      rows: z.number(),
      isNew: z.boolean(),
    }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim': {
    summary: 'What I am to write next: first what was sent back to me',
    access: JUDGES,
    answer: Writing,
  },
  'PUT /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration': {
    summary: 'Keep what I have written so far; says how many tokens it has',
    access: JUDGES,
    body: z.strictObject({ text: Written, activeSeconds: ActiveSeconds.optional() }),
    answer: z.object({ tokens: z.number().nullable() }),
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration': {
    summary:
      'My answer to the prompt. The key makes it one however often it is sent; 409 keeps it and says what stands',
    access: JUDGES,
    body: z.strictObject({ key: z.uuid(), text: Submitted, activeSeconds: ActiveSeconds }),
    answer: Writing,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/demonstration-skip': {
    summary: 'Leave the prompt to others, also one that was sent back to me',
    access: JUDGES,
    body: z.strictObject({ reason: z.string().trim().max(1000).default('') }),
    answer: Writing,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/undo': {
    summary: 'Take back one of my last ten that nobody has reviewed, and write on; it stays in the history',
    access: JUDGES,
    answer: Writing,
  },
  'GET /api/projects/{project}/campaigns/{campaign}/review': {
    summary: 'What I am to review next; never what I wrote myself',
    access: ADJUDICATORS,
    answer: Reviewing,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review': {
    summary: 'Accept, fix and accept, or send back with a reason; 409 when somebody was first',
    access: ADJUDICATORS,
    body: z
      .strictObject({
        outcome: Outcome,
        /** The fixed answer. */
        text: Submitted.optional(),
        reason: z.string().trim().max(4000).default(''),
      })
      .refine(({ outcome, text }) => (outcome === 'fixed') === (text !== undefined), {
        path: ['text'],
        message: 'expected the fixed answer with fixed, and none with another outcome',
      })
      .refine(({ outcome, reason }) => outcome !== 'returned' || reason !== '', {
        path: ['reason'],
        message: 'expected what is to be changed',
      }),
    answer: Reviewing,
  },
  'POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/review-undo': {
    summary:
      'Take back one of my last ten reviews; both stay in the history. 409 when a dataset version took the demonstration, or its author has written it anew',
    access: ADJUDICATORS,
    answer: Reviewing,
  },
  'GET /api/projects/{project}/submissions/{submission}': {
    summary: 'One submission: prompt, drafted answer, what was written, what came of it, and what went before it',
    access: OBSERVERS,
    answer: Shown.extend({
      campaign: z.string(),
      campaignName: z.string(),
      guideline: z.string(),
      prompt: Prompt,
      drafted: z.string().nullable(),
      completion: z.string(),
      /** The reviewer's words, where they took the place of these. */
      fixed: z.string().nullable(),
      seconds: z.number(),
      /** What was sent back before, newest first. */
      earlier: z.array(z.object({ id: z.string(), completion: z.string(), reason: z.string(), at: z.string() })),
      /** Reviews that their reviewers took back, newest first. */
      takenBack: z.array(
        z.object({
          by: z.string(),
          outcome: Outcome,
          fixed: z.string().nullable(),
          reason: z.string(),
          at: z.string(),
          undoneAt: z.string(),
        }),
      ),
    }),
  },
} satisfies Record<string, Endpoint>
