// The words of a simulated service desk, as plain data: what prompts are made of, what sentences of a reply mean, and
// when policy asks for escalation. A domain fills the tables; `readPrompt` and the gold score read text by them.
import { DataError } from '#errors'

export type EscalateWhen =
  | { when: 'never' }
  | { when: 'days-late'; atLeast: number }
  | { when: 'above-limit' }
  | { when: 'danger' }
  | { when: 'mood'; mood: string }

/** Slots are written `{day}`. `fact` and `decoy` end in a value that only `fact` makes true of the request. */
export type IntentTable = {
  name: string
  fact: string
  decoy: string
  /** The slot of `fact` and `decoy` that a reply must get right. */
  value: string
  escalate: EscalateWhen
  messages: readonly { text: string; isDanger?: boolean }[]
  /** Sentences that state the value. Of intents with a limit: sentences that promise `{amount}`. */
  wordings: readonly string[]
  /** Of intents with a limit: sentences that state it and promise nothing. */
  limitWordings?: readonly string[]
}

export type ServiceTables = {
  channels: readonly { name: string; greetings: readonly string[] }[]
  moods: readonly { name: string; isUpset: boolean; phrases: readonly string[] }[]
  intents: readonly IntentTable[]
  vague: readonly string[]
  empathy: readonly string[]
  /** Sentences that hand over to `{manager}`. */
  escalation: readonly string[]
  offBrand: readonly string[]
  padding: readonly string[]
  courtesy: readonly string[]
  signOff: readonly string[]
}

/** What a prompt says. `slots` holds every named value, `decoyValue` that of the misleading fact. */
export type Situation = {
  channel: string
  intent: IntentTable
  slots: Record<string, string>
  decoyValue: string
  manager: string
  mood: string
  isUpset: boolean
  isEscalationDue: boolean
  /** Dollars; only of intents with a limit. */
  limit?: number
  amount?: number
}

export const SLOT = /\{(\w+)\}/g
const NUMERIC = new Set(['limit', 'amount', 'window', 'minutes', 'days'])

/** `Your {item} arrives {day}.` as a regular expression whose slots match any word, or any number for numeric slots. */
export function slotPattern(template: string): RegExp {
  const source = template
    .replaceAll(/[.*+?^$()|[\]\\]/g, String.raw`\$&`)
    .replaceAll(SLOT, (_, slot: string) => `(?<${slot}>${NUMERIC.has(slot) ? String.raw`\d{1,9}` : '[A-Za-z]{1,24}'})`)
  return new RegExp(`^${source}$`)
}

export function fillSlots(template: string, slots: Record<string, string>): string {
  return template.replaceAll(SLOT, (whole, slot: string) => slots[slot] ?? whole)
}

/** Sentences end in `.`, `!` or `?`; what follows the last mark is a sentence too. */
export function splitSentences(text: string): string[] {
  return (text.match(/[^.!?]+[.!?]*|[.!?]+/g) ?? [])
    .map((s) => s.replaceAll(/\s+/g, ' ').trim())
    .filter((s) => s !== '')
}

const PROMPT = /^\[(\w+)\] Facts: ([^;\n]+); ([^;\n]+); manager (\w+)\.\nCustomer: ([^\n]+)\nReply on \1:$/

/** A reader of this desk's prompts. It throws DataError for a text that the tables did not make. */
export function promptReader(tables: ServiceTables): (prompt: string) => Situation {
  const moodOf = new Map(tables.moods.flatMap((mood) => mood.phrases.map((phrase) => [phrase, mood] as const)))
  const intents = tables.intents.map((intent) => ({
    intent,
    fact: slotPattern(intent.fact),
    decoy: slotPattern(intent.decoy),
    messages: intent.messages.map((m) => ({ pattern: slotPattern(m.text), isDanger: m.isDanger ?? false })),
  }))
  return (prompt) => {
    const refuse = (what: string) =>
      new DataError(
        `expected a prompt of the simulated service desk, got ${what} in ${JSON.stringify(prompt.slice(0, 80))}`,
      )
    const parts = PROMPT.exec(prompt)
    if (!parts) throw refuse('another form')
    const [, channel, first, second, manager, message] = parts as unknown as string[] as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    const sentences = splitSentences(message)
    const at = sentences.findIndex((s) => moodOf.has(s))
    if (at < 0) throw refuse('no known mood')
    const mood = moodOf.get(sentences[at]!)!
    const request = sentences.filter((_, i) => i !== at).join(' ')
    for (const { intent, fact, decoy, messages } of intents) {
      const isFirst = fact.test(first)
      const told = fact.exec(isFirst ? first : second)
      const misled = decoy.exec(isFirst ? second : first)
      if (!told || !misled) continue
      for (const { pattern, isDanger } of messages) {
        const asked = pattern.exec(request)
        if (!asked) continue
        const slots: Record<string, string> = { ...told.groups, ...asked.groups, manager }
        const limit = intent.limitWordings ? Number(slots.limit) : undefined
        const amount = intent.limitWordings ? Number(slots.amount) : undefined
        return {
          channel,
          intent,
          slots,
          decoyValue: misled.groups![intent.value]!,
          manager,
          mood: mood.name,
          isUpset: mood.isUpset,
          isEscalationDue: isDue(intent.escalate, { slots, mood: mood.name, isDanger, limit, amount }),
          ...(limit === undefined ? {} : { limit }),
          ...(amount === undefined ? {} : { amount }),
        }
      }
    }
    throw refuse('facts and a message that no intent has together')
  }
}

type Asked = {
  slots: Record<string, string>
  mood: string
  isDanger: boolean
  limit: number | undefined
  amount: number | undefined
}

function isDue(rule: EscalateWhen, { slots, mood, isDanger, limit, amount }: Asked): boolean {
  switch (rule.when) {
    case 'never':
      return false
    case 'days-late':
      return Number(slots.days ?? 0) >= rule.atLeast
    case 'above-limit':
      return (amount ?? 0) > (limit ?? 0)
    case 'danger':
      return isDanger
    case 'mood':
      return mood === rule.mood
    default:
      return rule satisfies never
  }
}
