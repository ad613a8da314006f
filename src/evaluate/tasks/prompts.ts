// What a model is shown: a row's prompt after its answered examples, drawn anew for each row by the seed. Text is joined by
// the task's delimiter and separator; turns become turns of the user and the assistant.
import type { Message, Prompt } from '#schema'
import { deriveSeed, generator } from '#stats'
import type { Task } from './read.ts'
import type { TaskRow } from './rows.ts'

/** A prompt that ends in white space has its delimiter already. */
export function delimiterAfter(prompt: Prompt, { delimiter = ' ' }: Pick<Task, 'delimiter'>): string {
  return typeof prompt !== 'string' || /\s$/.test(prompt) ? '' : delimiter
}

/** One a row, in their order. */
export function taskPrompts(task: Task, seed: number): Prompt[] {
  return task.rows.map((row, i) => withExamples(task, row, examplesOf(task, row, deriveSeed(seed, 'shots', i))))
}

function examplesOf({ shots, rows, examples }: Task, asked: TaskRow, seed: number): TaskRow[] {
  if (shots === 0) return []
  const pool = examples ?? rows.filter(({ group }) => group !== asked.group)
  return generator(seed).shuffle(pool).slice(0, shots)
}

function withExamples(task: Task, { prompt }: TaskRow, examples: TaskRow[]): Prompt {
  if (examples.length === 0) return prompt
  const { separator = '\n\n' } = task
  if (typeof prompt === 'string') {
    const shown = examples.map((each) => `${asText(each.prompt)}${delimiterAfter(each.prompt, task)}${each.answers[0]}`)
    return [...shown, prompt].join(separator)
  }
  const isSystem = ({ role }: Message) => role === 'system'
  const turns = examples.flatMap((each): Message[] => [
    ...asTurns(each.prompt).filter((turn) => !isSystem(turn)),
    { role: 'assistant', content: each.answers[0]! },
  ])
  return [...prompt.filter(isSystem), ...turns, ...prompt.filter((turn) => !isSystem(turn))]
}

function asText(prompt: Prompt): string {
  return typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')
}

function asTurns(prompt: Prompt): Message[] {
  return typeof prompt === 'string' ? [{ role: 'user', content: prompt }] : prompt
}
