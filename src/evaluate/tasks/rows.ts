// A row of a task: what is asked, which answers are right, which choices there are. Shapes of lm-evaluation-harness and its
// data sets are read as they lie: {question, choices, answer}, choices as {text, label}, answer as index, letter or text.
import { Prompt } from '#schema'
import { graderOf } from '../graders.ts'
import type { Description, Scorer } from './description.ts'

export type TaskRow = {
  id: string
  /** Rows of one group are resampled together, and none is an example before another. */
  group: string
  /** As asked, without examples. */
  prompt: Prompt
  /** Any of them is right; of `choice` the choice itself. */
  answers: string[]
  choices?: string[]
  /** Index of the right choice. */
  right?: number
}
type Fields = Record<string, unknown>
/** Scorers of completions. */
type Drawn = Exclude<Scorer, { kind: 'choice' }>
/** What is wrong with a row, and at which of its fields. */
export type RowProblem = { problem: string; path: (string | number)[] }

class Wrong extends Error {
  readonly path: (string | number)[]
  constructor(message: string, ...path: (string | number)[]) {
    super(message)
    this.path = path
  }
}

const ANSWERS = ['answer', 'answers', 'answerKey', 'target']
const QUESTIONS = ['question', 'input']

/** `place`: counted from 1, what a row without an id is called. */
export function taskRow(fields: Fields, description: Description, place: number): TaskRow | RowProblem {
  try {
    return readRow(fields, description, place)
  } catch (error) {
    if (error instanceof Wrong) return { problem: error.message, path: error.path }
    throw error
  }
}

function readRow(fields: Fields, description: Description, place: number): TaskRow {
  const { scorer } = description
  const id = nameOf(fields, 'id') ?? String(place)
  const placed = { id, group: nameOf(fields, 'group') ?? `row ${id}` }
  if (scorer.kind !== 'choice') {
    const answers = answersOf(fields)
    checkAnswers(scorer, answers, fields)
    return { ...placed, prompt: promptOf(fields, description, undefined), answers }
  }
  const { texts, labels } = choicesOf(fields)
  const right = rightOf(fields, texts, labels)
  const answers = [scorer.by === 'letter' ? labels[right]! : texts[right]!]
  const shown = texts.map((text, i) => `${labels[i]}. ${text}`).join('\n')
  const choices = scorer.by === 'letter' ? labels : texts
  return { ...placed, prompt: promptOf(fields, description, shown), answers, choices, right }
}

function nameOf(fields: Fields, field: string): string | undefined {
  const value = fields[field]
  if (value === undefined || value === null) return undefined
  if ((typeof value === 'string' && value !== '') || typeof value === 'number') return String(value)
  throw new Wrong(`expected a text or a number, got ${told(value)}`, field)
}

function promptOf(
  fields: Fields,
  { prompt: template, chat, scorer }: Description,
  choices: string | undefined,
): Prompt {
  const prompt = template === undefined ? ownPrompt(fields, chat, scorer) : fill(template, fields, choices)
  if (typeof prompt !== 'string') {
    if (chat) throw new Wrong('is turns already: chat would be ignored; leave it out', 'prompt')
    return prompt
  }
  if (prompt.trim() === '') throw new Wrong('expected a prompt, got blank text', 'prompt')
  return chat ? [{ role: 'user', content: prompt }] : prompt
}

/** As lm-evaluation-harness asks a question that has choices, unless it is a turn of its own. */
function ownPrompt(fields: Fields, chat: boolean, { kind }: Scorer): Prompt {
  const field = ['prompt', 'messages', ...QUESTIONS].find((name) => fields[name] !== undefined)
  if (field === undefined)
    throw new Wrong(
      `expected prompt, messages, question or input, got the fields ${Object.keys(fields).join(', ') || 'of none'}: add one, or give the task a prompt template`,
    )
  const parsed = Prompt.safeParse(fields[field])
  if (!parsed.success) throw new Wrong(`expected text, or turns of role and content, got ${told(fields[field])}`, field)
  const prompt = parsed.data
  return typeof prompt === 'string' && QUESTIONS.includes(field) && kind === 'choice' && !chat
    ? `Question: ${prompt}\nAnswer:`
    : prompt
}

function fill(template: string, fields: Fields, choices: string | undefined): string {
  return template.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (_, name: string) => {
    if (name === 'choices' && choices !== undefined) return choices
    const value = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (typeof value === 'string' || typeof value === 'number') return String(value)
    throw new Wrong(`expected a text or a number for {{${name}}} of the prompt, got ${told(value)}`, name)
  })
}

function answersOf(fields: Fields): string[] {
  const given = ANSWERS.filter((name) => fields[name] !== undefined && fields[name] !== null)
  if (given.length > 1) throw new Wrong(`expected one of ${ANSWERS.join(', ')}, got ${given.join(' and ')}`, given[1]!)
  const field = given[0]
  if (field === undefined) return []
  const value = fields[field]
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new Wrong('expected at least one answer, got an empty list', field)
  return list.map((answer, i) => {
    if ((typeof answer === 'string' && answer.trim() !== '') || typeof answer === 'number') return String(answer)
    throw new Wrong(`expected a text or a number, got ${told(answer)}`, field, ...(Array.isArray(value) ? [i] : []))
  })
}

/** What the scorer will hold completions against must be of use to it. */
function checkAnswers(scorer: Drawn, answers: string[], fields: Fields): void {
  const needsOne =
    ['exact', 'contains', 'numeric'].includes(scorer.kind) || (scorer.kind === 'regex' && !scorer.pattern)
  const field = ANSWERS.find((name) => fields[name] !== undefined) ?? 'answer'
  if (needsOne && answers.length === 0)
    throw new Wrong(`expected an answer, which the scorer ${scorer.kind} needs; got none`, 'answer')
  try {
    for (const answer of answers) scoreOf(scorer, [answer])('0')
  } catch (error) {
    throw new Wrong(
      (error as Error).message.replace(/^reference: /, '').replace('in the reference', 'as the answer'),
      field,
    )
  }
}

/** Score of a completion against any of the answers: 1 where the scorer finds one of them. */
export function scoreOf(scorer: Drawn, answers: readonly string[]): (completion: string) => number {
  switch (scorer.kind) {
    case 'exact':
    case 'contains':
      return bestOf(graderOf({ metric: scorer.kind }), answers)
    case 'numeric': {
      const { tolerance } = scorer
      return bestOf(graderOf({ metric: 'numeric', ...(tolerance !== undefined && { tolerance }) }), answers)
    }
    case 'regex': {
      const flags = scorer.flags === undefined ? {} : { flags: scorer.flags }
      const patterns = scorer.pattern === undefined ? answers : [scorer.pattern]
      const grades = patterns.map((pattern) => graderOf({ metric: 'regex', pattern, ...flags }))
      return (completion) => Math.max(...grades.map((grade) => grade(completion, undefined)))
    }
    case 'json': {
      const grade = graderOf({ metric: 'json', ...(scorer.schema && { schema: scorer.schema }) })
      return (completion) => grade(completion, undefined)
    }
    default:
      return scorer satisfies never
  }
}

function bestOf(grade: ReturnType<typeof graderOf>, answers: readonly string[]): (completion: string) => number {
  return (completion) => Math.max(...answers.map((answer) => grade(completion, answer)))
}

/** A list, or {text, label} as ARC has it; letters where there are no labels. */
function choicesOf(fields: Fields): { texts: string[]; labels: string[] } {
  const { choices } = fields
  const isPair = typeof choices === 'object' && choices !== null && !Array.isArray(choices)
  const { text: texts, label: labels } = isPair ? (choices as Fields) : { text: choices, label: undefined }
  const field = isPair ? ['choices', 'text'] : ['choices']
  if (!isTexts(texts) || texts.length < 2)
    throw new Wrong(`expected a list of two or more texts, got ${told(texts)}`, ...field)
  const twice = texts.findIndex((text, i) => texts.indexOf(text) !== i)
  if (twice >= 0) throw new Wrong('expected each choice once: nothing could tell the two apart', ...field, twice)
  if (labels === undefined) {
    if (texts.length > 26) throw new Wrong(`expected at most 26 choices, got ${texts.length}`, ...field)
    return { texts, labels: texts.map((_, i) => String.fromCharCode(65 + i)) }
  }
  if (!isTexts(labels) || labels.length !== texts.length || new Set(labels).size < labels.length)
    throw new Wrong(`expected ${texts.length} different labels, one a text, got ${told(labels)}`, 'choices', 'label')
  return { texts, labels }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((text) => typeof text === 'string' && text.trim() !== '')
}

/** A number counts choices from 0; a text is the label of one, or one of them, or a number written as text. */
function rightOf(fields: Fields, texts: string[], labels: string[]): number {
  const field = ANSWERS.find((name) => fields[name] !== undefined && fields[name] !== null)
  const answer = field === undefined ? undefined : fields[field]
  const hasLabels = !Array.isArray(fields.choices)
  const orders = hasLabels ? [labels, texts] : [texts, labels]
  const isNumber = typeof answer === 'number' || (typeof answer === 'string' && /^\d+$/.test(answer))
  const found =
    typeof answer === 'string' ? orders.map((of) => of.indexOf(answer)).find((index) => index >= 0) : undefined
  const index = found ?? (isNumber ? Number(answer) : -1)
  if (Number.isInteger(index) && index >= 0 && index < texts.length) return index
  throw new Wrong(
    `expected the right choice as its index from 0 to ${texts.length - 1}, its label (${labels[0]} to ${labels.at(-1)}) or its text, got ${told(answer)}`,
    field ?? 'answer',
  )
}

function told(value: unknown): string {
  if (value === undefined) return 'none'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 57)}...` : text
}
