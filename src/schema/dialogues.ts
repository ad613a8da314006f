// Dialogues whose messages are rated one by one: which messages those are, what is asked of each, and how an answer to one is
// kept beside those to the whole. Messages count from 0, as in the prompt; the completion is the one after the last of them.
import type { Question, Value, Values } from './questions.ts'
import type { Prompt } from './rows.ts'

/** The index of the completion among the messages of its dialogue. */
export const indexOfCompletion = (prompt: Prompt): number => (typeof prompt === 'string' ? 1 : prompt.length)

/** Indexes of what the assistant said, the completion last. */
export function ratedMessages(prompt: Prompt): number[] {
  const before = typeof prompt === 'string' ? [] : prompt.flatMap(({ role }, i) => (role === 'assistant' ? [i] : []))
  return [...before, indexOfCompletion(prompt)]
}

/** One question that is asked of each message, of one of them. */
const ofMessage = (question: Question, message: number): Question => ({
  ...question,
  name: nameAt(question.name, message),
})
/** No name of a question has an @. */
const nameAt = (name: string, message: number): string => `${name}@${message}`

/** All that is asked about one dialogue: message by message, and then of the whole. */
export function askedOf(questions: readonly Question[], prompt: Prompt): { question: Question; message?: number }[] {
  const ofEach = questions.filter(({ each }) => each === 'message')
  return [
    ...ratedMessages(prompt).flatMap((message) =>
      ofEach.map((question) => ({ question: ofMessage(question, message), message })),
    ),
    ...questions.filter(({ each }) => each === undefined).map((question) => ({ question })),
  ]
}

/** An answer's values by what they are about: `message` undefined: the whole. In the order of messages, the whole last. */
export function byMessage(values: Values): { message?: number; values: Record<string, Value> }[] {
  const parts = new Map<number | undefined, Record<string, Value>>()
  for (const [key, value] of Object.entries(values)) {
    if (value === undefined) continue
    const [name, index] = key.split('@') as [string, string | undefined]
    const message = index === undefined ? undefined : Number(index)
    parts.set(message, { ...parts.get(message), [name]: value })
  }
  return [...parts]
    .sort(([x], [y]) => (x ?? Infinity) - (y ?? Infinity))
    .map(([message, own]) => ({ values: own, ...(message !== undefined && { message }) }))
}

/** A message of a dialogue as a completion, and what stood before it. */
export function messageAt(
  { prompt, completion }: { prompt: Prompt; completion: string },
  message: number,
): { prompt: Prompt; completion: string } {
  if (typeof prompt === 'string' || message >= prompt.length) return { prompt, completion }
  const before = prompt.slice(0, message)
  return { prompt: before.length > 0 ? before : '', completion: prompt[message]!.content }
}
