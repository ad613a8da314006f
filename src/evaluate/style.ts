// How an answer looks, which people may prefer whatever it says: its length and its markdown, as in the style control of Chatbot
// Arena (2024): a difference of two answers is (a - b) / (a + b), from -1 to 1. Length is in characters, since models of
// different tokenizers meet. Code blocks count for length alone: what looks like markdown in them is none.

export const STYLES = ['length', 'headers', 'lists', 'bold'] as const
export type Style = (typeof STYLES)[number]

const COUNTED: Record<Exclude<Style, 'length'>, RegExp> = {
  headers: /^ {0,3}#{1,6}[ \t]+\S/gm,
  lists: /^[ \t]*(?:[-*+]|\d+[.)])[ \t]+\S/gm,
  bold: /\*\*[^*\n]+\*\*|__[^_\n]+__/g,
}

/** Characters, and how many headers, items of lists and stretches in bold. */
export function styleOf(text: string): Record<Style, number> {
  const prose = text.replace(/^[ \t]*(```|~~~).*?(?:^[ \t]*\1|$(?![^]))/gms, '')
  const count = (style: keyof typeof COUNTED) => prose.match(COUNTED[style])?.length ?? 0
  return { length: Array.from(text).length, headers: count('headers'), lists: count('lists'), bold: count('bold') }
}

/** (a - b) / (a + b) of each style, in the order of STYLES; 0 where neither has any. */
export function styleDifference(a: string, b: string): number[] {
  const [own, other] = [styleOf(a), styleOf(b)]
  return STYLES.map((style) => {
    const sum = own[style] + other[style]
    return sum === 0 ? 0 : (own[style] - other[style]) / sum
  })
}
