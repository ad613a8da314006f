// A sentence that says the opposite, by its English auxiliary: a negation is taken out where there is one, else put in.
// Left out: questions, verbs without an auxiliary ("it works"), and whatever is denied by other words ("never", "no").

const APOSTROPHE = "['\u2019]"
const MODALS = 'will|would|should|could|must|may|might|shall|can'
const BE = 'am|is|are|was|were'

/** What a denied auxiliary is without its denial; the first that is found. */
const DENIED: [RegExp, string][] = [
  [new RegExp(`\\b(can)(?:not|${APOSTROPHE}t)\\b`, 'i'), '$1'],
  [new RegExp(`\\b(w)on${APOSTROPHE}t\\b`, 'i'), '$1ill'],
  [new RegExp(`\\b(sha)n${APOSTROPHE}t\\b`, 'i'), '$1ll'],
  [new RegExp(`\\b(${BE}|do|does|did|has|have|had|would|should|could|must)n${APOSTROPHE}t\\b`, 'i'), '$1'],
  [
    new RegExp(
      `\\b((?:${BE}|${MODALS}|do|does|did|has|have|had)|\\w+${APOSTROPHE}(?:m|re|ll|ve|s)) not\\b(?! (?:only|just))`,
      'i',
    ),
    '$1',
  ],
]

/** Of verbs that are auxiliaries before a participle alone. */
const PARTICIPLE = String.raw`(?= (?:\w+ed|\w+en|been|had|made|sent|paid|put|set|left|found|got|gone|done)\b)`
/** Lower case alone: May is a month, and Will a name. Behind an article it is a noun. */
const NO_NOUN = String.raw`(?<!\b(?:a|an|the|my|your|our|his|her|their|free) )`
/** Where a denial can be put; the earliest in the sentence is taken. */
const DENIABLE: [RegExp, string][] = [
  [new RegExp(`${NO_NOUN}\\b(can)\\b`), '$1not'],
  [new RegExp(`${NO_NOUN}\\b(${BE}|${MODALS.replace('|can', '')})\\b`), '$1 not'],
  [new RegExp(`\\b(has|have|had|\\w+${APOSTROPHE}ve)\\b${PARTICIPLE}`), '$1 not'],
  [new RegExp(`\\b(\\w+${APOSTROPHE}(?:m|re|ll))\\b`), '$1 not'],
  [new RegExp(`\\b((?:it|that|there|here|he|she)${APOSTROPHE}s)\\b`, 'i'), '$1 not'],
]

/** The sentence with its negation turned over; undefined where it asks, or has no auxiliary to do it by. */
export function negate(sentence: string): string | undefined {
  if (sentence.trimEnd().endsWith('?')) return undefined
  for (const [denied, plain] of DENIED) if (denied.test(sentence)) return sentence.replace(denied, plain)
  const places = DENIABLE.map(([pattern, denial]) => ({ pattern, denial, at: sentence.search(pattern) }))
  const [first] = places.filter(({ at }) => at >= 0).sort((x, y) => x.at - y.at)
  return first && sentence.replace(first.pattern, first.denial)
}
