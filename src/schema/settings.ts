// How a person has the judging screen: how texts are shown, whether the two scroll together, which key does what. Keys are
// data: known actions, single keys of a list, none twice; nothing that is stored here is ever run or taken for markup.
import { z } from 'zod'

/** What can be done on the judging screen, with its key where nobody has chosen another. */
export const ACTION_KEYS = {
  'left-4': '1',
  'left-3': '2',
  'left-2': '3',
  'left-1': '4',
  tie: '5',
  'right-1': '6',
  'right-2': '7',
  'right-3': '8',
  'right-4': '9',
  'both-bad': '0',
  'cannot-judge': 'x',
  submit: 'Enter',
  reason: 'r',
  highlight: 'h',
  skip: 's',
  flag: 'f',
  undo: 'u',
  past: 'p',
  guideline: 'g',
  source: 'm',
  differences: 'd',
  together: 'y',
  'next-question': 'ArrowDown',
  'question-before': 'ArrowUp',
  shortcuts: '?',
} as const
export type Action = keyof typeof ACTION_KEYS
export const ACTIONS = Object.keys(ACTION_KEYS) as [Action, ...Action[]]

/** Letters, digits, marks that need no combination, and arrows; Escape, Tab and Space keep their meaning everywhere. */
export const KEYS = [
  ...'abcdefghijklmnopqrstuvwxyz0123456789'.split(''),
  ...",.;:'/?!-_=+*#[]".split(''),
  'Enter',
  'ArrowUp',
  'ArrowDown',
  'ArrowLeft',
  'ArrowRight',
] as const

/** Keys that somebody chose, by action; the others are as they come. */
const ChosenKeys = z.partialRecord(z.enum(ACTIONS), z.enum(KEYS)).superRefine((chosen, ctx) => {
  const doing = new Map<string, Action>()
  for (const [action, key] of Object.entries(keysOf(chosen)) as [Action, string][]) {
    const other = doing.get(key)
    if (other !== undefined)
      ctx.addIssue({ code: 'custom', path: [action], message: `expected a key of its own: ${key} is that of ${other}` })
    doing.set(key, action)
  }
})
export type ChosenKeys = Partial<Record<Action, string>>

/** The key of every action. */
export function keysOf(chosen: ChosenKeys): Record<Action, string> {
  return { ...ACTION_KEYS, ...chosen }
}

export const Settings = z.strictObject({
  /** Of prompts and completions: markdown as it is meant, as it is written, or two of them with the words that differ. */
  view: z.enum(['rendered', 'source', 'differences']).default('rendered'),
  /** Whether two long completions beside each other scroll as one. */
  scrollsTogether: z.boolean().default(true),
  keys: ChosenKeys.default({}),
})
export type Settings = z.infer<typeof Settings>
