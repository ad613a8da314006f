// Keeps replies out of the base corpus: a document that holds a reply sentence, or eight words in a row of one, in any
// case and punctuation, is drawn again. Chance can put `Hi there and welcome` together in an echo line.
import { tables } from '../grammar.ts'

const GRAM = 8
const SLOT = '*'

/** Word patterns of every reply sentence, `*` for a slot; long sentences are cut into runs of eight. */
const patterns = ((): Map<string, string[][]> => {
  const templates = [
    ...tables.channels.flatMap((c) => c.greetings),
    ...tables.intents.flatMap((i) => [...i.wordings, ...('limitWordings' in i ? i.limitWordings : [])]),
    ...[
      tables.vague,
      tables.empathy,
      tables.escalation,
      tables.offBrand,
      tables.padding,
      tables.courtesy,
      tables.signOff,
    ].flat(),
  ]
  const byFirst = new Map<string, string[][]>()
  for (const template of templates) {
    const words = wordsOf(template.replaceAll(/\{\w+\}/g, ` ${SLOT} `))
    const length = Math.min(words.length, GRAM)
    for (let from = 0; from + length <= words.length; from++) {
      const run = words.slice(from, from + length)
      byFirst.set(run[0]!, [...(byFirst.get(run[0]!) ?? []), run])
    }
  }
  return byFirst
})()

export function isReplyFree(document: string): boolean {
  if (/\bReply\b/i.test(document)) return false
  const words = wordsOf(document)
  const anywhere = patterns.get(SLOT) ?? []
  for (let at = 0; at < words.length; at++)
    for (const run of [...(patterns.get(words[at]!) ?? []), ...anywhere])
      if (run.every((word, i) => (word === SLOT ? words[at + i] !== undefined : word === words[at + i]))) return false
  return true
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[a-z]+|\d+|\*/g) ?? []
}
