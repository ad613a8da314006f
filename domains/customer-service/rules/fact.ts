// Rule term: does the reply state what the prompt's facts say? Reads both by its own patterns; shares nothing with the
// simulated gold and imports nothing. A rule can only know what is written: tone and policy are not its business.

type Row = { prompt: string; completion: string; finished: boolean }

/** Words that name a fact right before its value, in facts and in replies alike. */
const STATED = [
  /\barrives (\w+)/g,
  /\bships (\w+)/g,
  /\bin stock (\w+)/g,
  /\bends (\w+)/g,
  /\bwithin (\d+) days/g,
  /\blasts (\d+) minutes/g,
  /\blimit \$(\d+)/g,
]
/** Words before an amount that the customer asks for and the reply may grant. */
const GRANTED = [/\bback \$(\d+)/g, /\bcharged \$(\d+)/g]
/** A thing that a reply says arrives, ships or is in stock. */
const THING = /\b[Tt]he (\w+) (?:arrives|is in stock)|\b[Yy]our (?:new )?(\w+) (?:arrives|ships)/g

/** 1: a fact is stated, and all that are stated agree with the prompt; -1: one does not; 0: none is stated. */
export default function fact({ prompt, completion }: Row): number {
  const facts = /Facts: (.*)\.\nCustomer:/.exec(prompt)?.[1] ?? ''
  const message = /\nCustomer: (.*)\n/.exec(prompt)?.[1] ?? ''
  const reply = completion.slice(0, 4000)
  const limit = Number(/\blimit \$(\d+)/.exec(facts)?.[1] ?? Number.NaN)
  let stated = 0
  for (const pattern of STATED) {
    const truth = values(facts, pattern)
    for (const value of values(reply, pattern)) {
      stated++
      if (!truth.includes(value)) return -1
    }
  }
  for (const pattern of GRANTED) {
    const asked = values(message, pattern)
    for (const value of values(reply, pattern)) {
      stated++
      if (!asked.includes(value) || !(Number(value) <= limit)) return -1
    }
  }
  for (const match of reply.matchAll(THING)) {
    const thing = (match[1] ?? match[2])!
    if (!message.includes(thing) && !facts.includes(thing)) return -1
  }
  return stated > 0 ? 1 : 0
}

function values(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map((m) => m[1]!)
}
