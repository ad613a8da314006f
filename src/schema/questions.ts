// Questions about one completion, and what a value must be to answer one: checked on the screen and again on the server.
import { z } from 'zod'

const Named = {
  name: z
    .string()
    .max(40)
    .regex(/^[a-z][a-z0-9-]*$/, 'expected lower-case letters, digits and hyphens'),
  text: z.string().trim().min(1).max(500).describe('as people read it'),
  required: z.boolean().default(true),
  each: z.literal('message').optional().describe('asked of each message of the assistant; absent: of the whole'),
}
const MOST_OPTIONS = 9

export const Question = z.discriminatedUnion('type', [
  z.strictObject({ ...Named, type: z.literal('1-5') }),
  z.strictObject({ ...Named, type: z.literal('1-7') }),
  z.strictObject({ ...Named, type: z.literal('boolean') }),
  z.strictObject({
    ...Named,
    type: z.literal('category'),
    options: z
      .array(z.string().trim().min(1).max(60))
      .min(2)
      .max(MOST_OPTIONS)
      .refine((options) => new Set(options).size === options.length, 'expected different options'),
  }),
  z.strictObject({
    ...Named,
    type: z.literal('text'),
    least: z.number().int().min(0).max(4000).default(0).describe('characters'),
    most: z.number().int().min(1).max(4000).default(4000).describe('characters'),
  }),
])
export type Question = z.infer<typeof Question>

export const Questions = z
  .array(Question)
  .min(1)
  .max(12)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, 'expected different names')
  .refine((all) => all.every((q) => q.type !== 'text' || q.least <= q.most), 'expected least to be at most most')

export type Value = number | boolean | string
export type Values = Record<string, Value | undefined>

/** Highest of a scale from 1. */
export const SCALES = { '1-5': 5, '1-7': 7 } as const

/** What is wrong with a value as the answer to a question; undefined: nothing. No value at all is `undefined` or blank text. */
export function faultIn(question: Question, value: unknown): string | undefined {
  const isMissing =
    value === undefined || (question.type === 'text' && typeof value === 'string' && value.trim() === '')
  if (isMissing) return question.required ? 'expected an answer' : undefined
  switch (question.type) {
    case '1-5':
    case '1-7': {
      const most = SCALES[question.type]
      const isWithin = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most
      return isWithin ? undefined : `expected a whole number from 1 to ${most}`
    }
    case 'boolean':
      return typeof value === 'boolean' ? undefined : 'expected yes or no'
    case 'category':
      return question.options.some((option) => option === value)
        ? undefined
        : `expected one of ${question.options.join(', ')}`
    case 'text': {
      const { least, most } = question
      if (typeof value !== 'string') return 'expected text'
      const { length } = value.trim()
      return length >= least && length <= most ? undefined : `expected ${least} to ${most} characters, got ${length}`
    }
    default:
      throw new Error(`unknown question ${JSON.stringify(question satisfies never)}`)
  }
}

/** The first question that is not answered as it must be; undefined: all are. */
export function firstFault(questions: readonly Question[], values: Values): { name: string; says: string } | undefined {
  for (const question of questions) {
    const says = faultIn(question, values[question.name])
    if (says !== undefined) return { name: question.name, says }
  }
  return undefined
}
