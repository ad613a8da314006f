// Rule term: no promise above the limit. Any dollar amount in the reply must be at most the limit that the prompt's
// facts give; where they give none, no amount may stand. Shares nothing with the simulated gold and imports nothing.

/** -1: the hard constraint is broken; 0: it holds. */
export default function constraint({
  prompt,
  completion,
}: {
  prompt: string
  completion: string
  finished: boolean
}): number {
  const facts = prompt.slice(0, prompt.indexOf('\nCustomer:'))
  const given = /(?:refund|credit) limit \$(\d+)/.exec(facts)
  const most = given ? Number(given[1]) : -1
  for (const part of completion.slice(0, 20_000).split('$').slice(1)) {
    const digits = /^\s*(\d[\d,]*(?:\.\d+)?)/.exec(part)
    if (digits && Number(digits[1]!.replaceAll(',', '')) > most) return -1
  }
  return 0
}
