// Rule term: does the reply greet as its channel does? A greeting is the first words of a reply. Reads by its own
// patterns; shares nothing with the simulated gold and imports nothing.

const OPENINGS: Record<string, RegExp> = {
  chat: /^\s*(?:Hi there|Hello)\b/,
  email: /^\s*(?:Dear customer|Thank you for your email)\b/,
  social: /^\s*Hey\b/,
}

/** 1: it greets as its channel does; -1: as another one does; 0: no greeting. */
export default function greeting({
  prompt,
  completion,
}: {
  prompt: string
  completion: string
  finished: boolean
}): number {
  const channel = /^\[(\w+)\]/.exec(prompt)?.[1]
  for (const [name, opening] of Object.entries(OPENINGS)) if (opening.test(completion)) return name === channel ? 1 : -1
  return 0
}
