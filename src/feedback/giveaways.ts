// Answers that say who wrote them. Sides are drawn and names stay on the server, but a text may still name its author, and then
// nobody judges it blind. What is found is shown to leads, who decide; nothing is left out by itself. What the prompt names is no
// sign: an answer may well speak of it.
import type { Prompt } from '#schema'

/** Models and their makers, as models name themselves. Written as names are, since many are words and people's names too. */
const NAMES =
  /(?<![\p{L}\p{N}])(ChatGPT|GPT-?[345][\w.]*|OpenAI|Claude|Anthropic|Gemini|Gemma|DeepMind|Llama|LLaMA|Mistral|Mixtral|Qwen|Tongyi|DeepSeek|SmolLM2?|Hugging Face|Grok|Copilot|Phi-[34])(?![\p{L}\p{N}])/gu
/** What a machine says of itself: beside an answer by a person it tells them apart. */
const CONFESSIONS =
  /(?<!\p{L})(as an? (?:AI|artificial intelligence|large language model|language model)|I(?: am|['’]m) an? (?:AI|artificial intelligence|large language model|language model)|my (?:training data|knowledge cut-?off))(?!\p{L})/giu

/**
 * Items with an answer that names a model, its maker, or itself a machine. `ours`: names that the candidates have here; those of
 * letters alone are words too, and are left out.
 */
export function findGiveaways<Item extends { prompt: Prompt; answers: readonly string[] }>(
  items: Iterable<Item>,
  ours: readonly string[] = [],
): { of: Item; found: string[] }[] {
  const telling = ours.filter((name) => name.length >= 3 && /[^\p{L}]/u.test(name))
  const giveaways: { of: Item; found: string[] }[] = []
  for (const of of items) {
    const { prompt, answers } = of
    const asked = textOf(prompt).toLowerCase()
    const found = new Set<string>()
    for (const answer of answers) {
      for (const [match] of [...answer.matchAll(NAMES), ...answer.matchAll(CONFESSIONS)]) found.add(match)
      const lower = answer.toLowerCase()
      for (const name of telling) if (hasWord(lower, name.toLowerCase())) found.add(name)
    }
    const left = [...found].filter((match) => !asked.includes(match.toLowerCase()))
    if (left.length > 0) giveaways.push({ of, found: left })
  }
  return giveaways
}

function textOf(prompt: Prompt): string {
  return typeof prompt === 'string' ? prompt : prompt.map(({ content }) => content).join('\n')
}

/** With neither a letter nor a digit at its ends. */
function hasWord(text: string, word: string): boolean {
  const isInner = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character)
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1))
    if (!isInner(text[at - 1]) && !isInner(text[at + word.length])) return true
  return false
}
