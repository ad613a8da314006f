// Rows as they lie in files: what people import and export, and what stages hand to each other.
// Field names follow the ecosystem (messages; prompt/completion; prompt/chosen/rejected); hone's own add lineage.
import { z } from 'zod'

/** Of rows that people made: id of the objective that their guideline was written under. */
const objective = z.string().optional()

export const Message = z.strictObject({
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: z.string(),
})
export type Message = z.infer<typeof Message>

/** A prompt is text joined as it is, or turns that go through the chat template. */
export const Prompt = z.union([z.string(), z.array(Message).min(1)])
export type Prompt = z.infer<typeof Prompt>

/** Where a row belongs: the split by `group` never separates rows of one customer, patient or repository. */
const placed = { id: z.string().optional(), group: z.string().optional(), stratum: z.string().optional() }

export const PromptRow = z.object({ ...placed, prompt: Prompt })
export type PromptRow = z.infer<typeof PromptRow>

/** prompt + expert completion. */
export const Demonstration = z.object({
  ...placed,
  prompt: Prompt,
  completion: z.string(),
  author: z.string().optional(),
  /** Of those that people wrote in hone: under which words, who accepted it, and what there was before. */
  guideline: z.string().optional(),
  objective,
  reviewer: z.string().optional(),
  /** The drafted answer that was edited, and how many words were taken out and put in. */
  original: z.string().optional(),
  editedWords: z.number().int().nonnegative().optional(),
  /** As the author wrote it, where the reviewer changed it. */
  written: z.string().optional(),
})
export type Demonstration = z.infer<typeof Demonstration>

/** Ready-made preference: chosen over rejected. */
export const ChosenRejected = z.object({ ...placed, prompt: Prompt, chosen: z.string(), rejected: z.string() })
export type ChosenRejected = z.infer<typeof ChosenRejected>

/** prompt + the two completions put to annotators; `a` and `b` are names, the side shown is the judgement's. */
export const Comparison = z.object({
  ...placed,
  item: z.string(),
  prompt: Prompt,
  a: z.string(),
  b: z.string(),
  /** Which is better, where experts agreed on it beforehand: the item then measures people. */
  gold: z.enum(['a', 'b']).optional(),
  /** Why, for those who got it wrong. */
  goldReason: z.string().optional(),
})
export type Comparison = z.infer<typeof Comparison>

export const Choice = z.enum(['left', 'right', 'tie', 'both-bad', 'cannot-judge'])
export type Choice = z.infer<typeof Choice>

/**
 * A stretch of one completion that its reader marked, from `start` to before `end` in UTF-16 code units of the text as it is
 * written, with what stands there.
 */
export const Highlight = z.strictObject({
  side: z.enum(['left', 'right']),
  start: z.number().int().min(0),
  end: z.number().int().min(1),
  quote: z.string().min(1).max(4000),
  reason: z.string().trim().min(1, 'expected why it is marked').max(500),
})
export type Highlight = z.infer<typeof Highlight>
/** On one answer; more than that is a text of its own. */
export const Highlights = z.array(Highlight).max(20)

/** What is wrong with where it points in the text of its side; undefined: nothing is. */
export function faultInHighlight({ start, end, quote }: Highlight, text: string): string | undefined {
  if (start >= end || end > text.length)
    return `expected a stretch within ${text.length} code units, got ${start} to ${end}`
  // Half of a character beyond the basic plane is no text, and no database takes it.
  if (cutsCharacter(text, start) || cutsCharacter(text, end)) return `expected whole characters from ${start} to ${end}`
  if (text.slice(start, end) !== quote) return `quote: expected what stands from ${start} to ${end}`
  return undefined
}

/** Whether this place is within a surrogate pair. */
export function cutsCharacter(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(Math.max(0, at - 1), at + 1)) && at > 0
}

/** One annotator's answer to one comparison. `left` and `right` are the completions as shown. */
export const Judgement = z.object({
  /** What leads back to it, where it was given in a campaign. */
  id: z.string().optional(),
  item: z.string(),
  annotator: z.string(),
  prompt: Prompt.optional(),
  left: z.string(),
  right: z.string(),
  choice: Choice,
  /** 1 slight to 4 strong. */
  strength: z.number().int().min(1).max(4).optional(),
  /** Seconds from shown to answered. */
  time: z.number().nonnegative().optional(),
  highlights: z.array(Highlight).optional(),
  guideline: z.string().optional(),
  objective,
  /** Criterion of the objective that was asked about; absent: all things considered. */
  criterion: z.string().optional(),
  /** True when a program and not a person answered; carried wherever the row goes. */
  simulated: z.boolean().optional(),
  /**
   * An adjudicator's word over the other answers to the item, and no vote among them. `decided`: `choice` is what holds;
   * `subjective`: people differ because tastes do, and their distribution holds.
   */
  adjudication: z.enum(['decided', 'subjective']).optional(),
  /** The side that is better by an answer known beforehand: the row measures its author and makes no preference. */
  gold: z.enum(['left', 'right']).optional(),
  /** What a model suggested, how probable it called that, and which one; `suggestionShown`: whether its author saw it. */
  suggested: z.enum(['left', 'right']).optional(),
  suggestedScore: z.number().optional(),
  suggestedBy: z.string().optional(),
  suggestionShown: z.enum(['before', 'after', 'hidden']).optional(),
  /** Whether the answer agrees with it; absent also where the pair could not be judged. */
  agreesWithSuggestion: z.boolean().optional(),
})
export type Judgement = z.infer<typeof Judgement>

/** One annotator's answers to the questions that were asked about one completion. */
export const Rating = z.object({
  id: z.string().optional(),
  item: z.string(),
  annotator: z.string(),
  prompt: Prompt,
  completion: z.string(),
  /**
   * Of a dialogue whose messages were rated one by one: which of them `completion` is, from 0, what stood before it being the
   * prompt; absent: the ratings are of the whole.
   */
  message: z.number().int().nonnegative().optional(),
  /** To each question that was answered: a step of its scale, yes or no, one of several, or words. */
  ratings: z.record(z.string(), z.union([z.number(), z.boolean(), z.string()])),
  /** Seconds from shown to answered. */
  time: z.number().nonnegative().optional(),
  guideline: z.string().optional(),
  objective,
  reason: z.string().optional(),
  simulated: z.boolean().optional(),
})
export type Rating = z.infer<typeof Rating>

/** What aggregation makes of the judgements of one comparison. */
export const Preference = z.object({
  item: z.string(),
  prompt: Prompt,
  a: z.string(),
  b: z.string(),
  /** Probability that `a` is better. */
  probability: z.number().min(0).max(1),
  /** Weight in the reward model's loss; 1 is a full comparison. */
  weight: z.number().nonnegative(),
  judgements: z.number().int().nonnegative(),
  /** Share of the answers that called the two even; absent where none of the data did, as if it could not be said. */
  tie: z.number().min(0).max(1).optional(),
  /** Share of the answers that called both bad; absent likewise. */
  bothBad: z.number().min(0).max(1).optional(),
  /** Mean stated strength towards the side that `probability` favours, opposite answers below 0, ties 0: at least 0, at most 4. */
  strength: z.number().min(0).max(4).optional(),
  annotators: z.array(z.string()).optional(),
  /** Ids of the judgements and the adjudication that it was made of, where they have any. */
  from: z.array(z.string()).optional(),
  simulated: z.boolean().optional(),
  /** Absent: nobody had to settle it. */
  adjudication: Judgement.shape.adjudication,
})
export type Preference = z.infer<typeof Preference>
