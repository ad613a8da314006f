// Rule term: is the case handed over where the written policy asks for it, and nowhere else? What the policy names is in
// the text: days, amounts, smoke, strangers, the words of a furious customer who leaves. Reads by its own patterns; shares
// nothing with the simulated gold and imports nothing.

type Row = { prompt: string; completion: string; finished: boolean }

const MOST_DAYS_LATE = 5
const DANGER = /\b(?:smoke|burned|stranger|someone used my account)\b/i
const LEAVES = /\b(?:cancel|stop|off) (?:\w+ )*plan\b/i
const FURIOUS = /\b(?:furious|outrage|so angry)\b/i

/** 1: handed over when it is due, to the manager named in the facts; -1: not then, or to another, or uncalled for; 0: rightly not handed over. */
export default function handover({ prompt, completion }: Row): number {
  const facts = /Facts: (.*)\.\nCustomer:/.exec(prompt)?.[1] ?? ''
  const message = /\nCustomer: (.*)\n/.exec(prompt)?.[1] ?? ''
  const named = [...completion.slice(0, 4000).matchAll(/\bmanager (\w+)/g)].map((match) => match[1])
  const own = /\bmanager (\w+)/.exec(facts)?.[1]
  if (!isDue(facts, message)) return named.length > 0 ? -1 : 0
  return named.length > 0 && named.every((name) => name === own) ? 1 : -1
}

function isDue(facts: string, message: string): boolean {
  const days = Number(/\b(\d+) days\b/.exec(message)?.[1] ?? 0)
  const amount = Number(/\$(\d+)/.exec(message)?.[1] ?? 0)
  const limit = Number(/\b(?:refund|credit) limit \$(\d+)/.exec(facts)?.[1] ?? Infinity)
  return (
    days > MOST_DAYS_LATE || amount > limit || DANGER.test(message) || (LEAVES.test(message) && FURIOUS.test(message))
  )
}
