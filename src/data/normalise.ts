// From the shapes the ecosystem writes to hone's rows: messages become prompt and completion, conversational chosen and
// rejected become texts, null means absent, whole numbers as names become text. Fields of no schema are kept as they are.
// Refused here, because no later stage could tell: blank turns, completions labelled bad among demonstrations.
import { ChosenRejected, Comparison, Demonstration, Judgement, Message, PromptRow, Rating } from '#schema'
import { z } from 'zod'
import type { Json } from './json.ts'

export type RowOf = {
  prompts: PromptRow
  demonstrations: Demonstration
  comparisons: ChosenRejected | Comparison
  judgements: Judgement
  ratings: Rating
}
export type Kind = keyof RowOf
export const KINDS = ['prompts', 'demonstrations', 'comparisons', 'judgements', 'ratings'] as const satisfies Kind[]

export type Problem = { path: PropertyKey[]; message: string }
/** `shape` names what must not be mixed within a file. */
export type Normalised<K extends Kind> = { row: RowOf[K]; shape: string } | { problems: Problem[] }

type Fields = { [key: string]: Json }

const label = z.literal(true).optional()
const SCHEMAS = {
  prompts: z.looseObject(PromptRow.shape),
  demonstrations: z.looseObject({ ...Demonstration.shape, label }),
  chosenRejected: z.looseObject(ChosenRejected.shape),
  comparison: z.looseObject(Comparison.shape),
  judgements: z.looseObject(Judgement.shape),
  ratings: z.looseObject(Rating.shape),
}
const Messages = z.array(Message).min(1)

/** What a row of each kind may look like, for messages to people. */
export const SHAPES: Record<Kind, string> = {
  prompts: '{prompt} or {messages}',
  demonstrations: '{prompt, completion} or {messages}',
  comparisons: '{prompt, chosen, rejected} or {item, prompt, a, b}',
  judgements: '{item, annotator, left, right, choice}',
  ratings: '{item, annotator, prompt, completion, ratings}',
}

/** Known fields of a row, in the order that people read them. */
export function fieldsOf(row: RowOf[Kind], kind: Kind): readonly string[] {
  return FIELDS[kind === 'comparisons' ? ('chosen' in row ? 'chosenRejected' : 'comparison') : kind]
}

const FIELDS = {
  prompts: Object.keys(PromptRow.shape),
  demonstrations: [...Object.keys(Demonstration.shape), 'label'],
  chosenRejected: Object.keys(ChosenRejected.shape),
  comparison: Object.keys(Comparison.shape),
  judgements: Object.keys(Judgement.shape),
  ratings: Object.keys(Rating.shape),
}
/** People and programs write these as numbers too. */
const NAMES = ['id', 'group', 'stratum', 'item', 'annotator', 'author', 'guideline', 'criterion']
const OPTIONAL = [
  'id',
  'group',
  'stratum',
  'author',
  'reviewer',
  'original',
  'editedWords',
  'written',
  'strength',
  'time',
  'highlights',
  'guideline',
  'objective',
  'criterion',
  'simulated',
  'adjudication',
  'gold',
  'goldReason',
  'reason',
  'label',
  'suggested',
  'suggestedScore',
  'suggestedBy',
  'suggestionShown',
  'agreesWithSuggestion',
]

export function normalise<K extends Kind>(value: Json, kind: K): Normalised<K> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { problems: [otherRow(value, SHAPES[kind])] }
  const fields: Fields = { ...value }
  for (const name of OPTIONAL) if (fields[name] === null) delete fields[name]
  if (kind === 'judgements' && fields.prompt === null) delete fields.prompt
  for (const name of NAMES) if (typeof fields[name] === 'number') fields[name] = String(fields[name])
  const problems = reshape(fields, kind)
  if (problems.length) return { problems }
  const schema = schemaOf(fields, kind)
  const parsed = schema.safeParse(fields)
  if (!parsed.success) return { problems: describeIssues(parsed.error, fields) }
  const wrong = blanks(fields, kind)
  if (wrong.length) return { problems: wrong }
  return { row: parsed.data as unknown as RowOf[K], shape: shapeOf(fields, kind) }
}

function schemaOf(fields: Fields, kind: Kind) {
  if (kind !== 'comparisons') return SCHEMAS[kind]
  return isChosenRejected(fields) ? SCHEMAS.chosenRejected : SCHEMAS.comparison
}

function isChosenRejected(fields: Fields): boolean {
  return 'chosen' in fields || 'rejected' in fields || !('a' in fields || 'b' in fields)
}

function shapeOf(fields: Fields, kind: Kind): string {
  if (kind === 'judgements') return 'judgements'
  const prompt = typeof fields.prompt === 'string' ? 'a text as prompt' : 'turns as prompt'
  if (kind !== 'comparisons') return prompt
  return `${isChosenRejected(fields) ? 'chosen and rejected' : 'a and b'}, ${prompt}`
}

/** Turns the ecosystem's other shapes into ours, in place. */
function reshape(fields: Fields, kind: Kind): Problem[] {
  if ('messages' in fields && (kind === 'prompts' || kind === 'demonstrations')) return splitMessages(fields, kind)
  if (kind === 'comparisons' && Array.isArray(fields.chosen)) return splitConversations(fields)
  const needed = kind === 'judgements' ? 'item' : kind === 'ratings' ? 'ratings' : 'prompt'
  if (needed in fields) return []
  return [otherRow(fields, SHAPES[kind])]
}

/** Of a value that is no row of that shape. */
export function otherRow(value: Json, shape: string): Problem {
  const isRow = typeof value === 'object' && value !== null && !Array.isArray(value)
  const names = isRow ? Object.keys(value).slice(0, 8).join(', ') : ''
  const got = isRow ? (names ? `the fields ${names}` : 'no fields') : describe(value)
  return { path: [], message: `expected a row ${shape}, got ${got}` }
}

function splitMessages(fields: Fields, kind: 'prompts' | 'demonstrations'): Problem[] {
  const parsed = Messages.safeParse(fields.messages)
  if (!parsed.success) return describeIssues(parsed.error, fields.messages, ['messages'])
  const twice = ['prompt', 'completion'].find((name) => name in fields)
  if (twice !== undefined) return [{ path: [twice], message: 'expected messages or prompt and completion, got both' }]
  const turns = parsed.data
  const blank = turns.findIndex((turn) => turn.content.trim() === '')
  if (blank >= 0) return [{ path: ['messages', blank, 'content'], message: 'expected text, got a blank turn' }]
  const last = turns.at(-1)!
  delete fields.messages
  if (last.role === 'assistant') {
    fields.prompt = turns.slice(0, -1)
    if (kind === 'demonstrations') fields.completion = last.content
    if (turns.length === 1)
      return [{ path: ['messages'], message: 'expected a turn before the assistant, got the assistant alone' }]
  } else if (kind === 'demonstrations')
    return [
      {
        path: ['messages', turns.length - 1, 'role'],
        message: `expected the assistant to speak last, got ${last.role}: a demonstration ends with its completion`,
      },
    ]
  else fields.prompt = turns
  return []
}

/** `chosen` and `rejected` as turns: with `prompt` one assistant turn each, without it whole conversations that differ in the last turn. */
function splitConversations(fields: Fields): Problem[] {
  const sides: Message[][] = []
  for (const name of ['chosen', 'rejected']) {
    const parsed = Messages.safeParse(fields[name])
    if (!parsed.success) return describeIssues(parsed.error, fields[name], [name])
    if (parsed.data.at(-1)!.role !== 'assistant')
      return [{ path: [name], message: 'expected the assistant to speak last' }]
    sides.push(parsed.data)
  }
  const [chosen, rejected] = sides as [Message[], Message[]]
  const before = chosen.slice(0, -1)
  if (JSON.stringify(before) !== JSON.stringify(rejected.slice(0, -1)))
    return [{ path: ['rejected'], message: 'expected the same turns as chosen up to the last, got others' }]
  if ('prompt' in fields && before.length)
    return [{ path: ['chosen'], message: 'expected one assistant turn beside prompt, got more' }]
  if (!('prompt' in fields)) fields.prompt = before
  fields.chosen = chosen.at(-1)!.content
  fields.rejected = rejected.at(-1)!.content
  return []
}

/** Texts that may not be blank. Sides of comparisons may: models do answer nothing. */
function blanks(fields: Fields, kind: Kind): Problem[] {
  const problems: Problem[] = []
  const need = (value: Json | undefined, path: PropertyKey[]) => {
    if (typeof value === 'string' && value.trim() === '')
      problems.push({ path, message: 'expected text, got a blank one' })
  }
  const { prompt } = fields
  if (Array.isArray(prompt))
    for (const [i, turn] of prompt.entries()) need((turn as Fields).content, ['prompt', i, 'content'])
  else need(prompt, ['prompt'])
  if (kind === 'demonstrations') need(fields.completion, ['completion'])
  for (const name of NAMES) need(fields[name], [name])
  return problems
}

function describeIssues(error: z.ZodError, value: unknown, under: PropertyKey[] = []): Problem[] {
  return error.issues.flatMap((issue) => describeIssue(issue, value, under))
}

function describeIssue(issue: z.core.$ZodIssue, value: unknown, under: PropertyKey[]): Problem[] {
  const path = [...under, ...issue.path]
  const came = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], value)
  if (issue.code === 'invalid_union') {
    // Prompt is the only union: turns go by the second branch, whose issues say which turn.
    if (!Array.isArray(came))
      return [{ path, message: `expected text or turns {role, content}, got ${describe(came)}` }]
    return issue.errors[1]!.flatMap((inner) => describeIssue(inner, came, path))
  }
  if (issue.code === 'unrecognized_keys') {
    const keys = issue.keys.join(', ')
    return [{ path: [...path, issue.keys[0]!], message: `expected only role and content in a turn, got ${keys} too` }]
  }
  return [{ path, message: `expected ${expectation(issue, path)}, got ${describe(came)}` }]
}

function expectation(issue: z.core.$ZodIssue, path: PropertyKey[]): string {
  if (path.at(-1) === 'label') return 'true or no label, since a completion labelled bad demonstrates nothing'
  if (issue.code === 'invalid_type')
    return { string: 'text', array: 'a list' }[issue.expected as string] ?? issue.expected
  if (issue.code === 'invalid_value')
    return issue.values
      .map(String)
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1')
  if (issue.code === 'too_small') return issue.origin === 'array' ? 'at least one turn' : `at least ${issue.minimum}`
  if (issue.code === 'too_big') return `at most ${issue.maximum}`
  return issue.message
}

export function describe(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (value === null) return 'null'
  if (Array.isArray(value)) return value.length ? 'a list' : 'an empty list'
  if (typeof value === 'object') return 'an object'
  const text = JSON.stringify(value)
  return text.length > 40 ? `${text.slice(0, 37)}..."` : text
}
