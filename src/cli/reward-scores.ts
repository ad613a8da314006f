// Scores of a reward model on texts beside its pairs: changed completions, a policy's samples, what experts rated. Scored a
// few at a time, so that Ctrl-C is heard.
import { scoresOf } from '#align'
import type { Prompt } from '#schema'
import { demonstrationExamples } from '#trainer'
import type { OpenModel } from './completions.ts'
import type { Output } from './output.ts'
import { Stopped } from './stop.ts'

export type Text = { prompt: Prompt; completion: string }
/** `group`: the prompt as the model reads it. */
export type TextScore = { score: number; group: string }
export type Scorer = Pick<OpenModel, 'engine' | 'model' | 'tokenizer' | 'maxTokens'>
export type Scoring = { signal?: AbortSignal | undefined; out: Output; what: string }

const AT_ONCE = 256

/** One score a text, in their order; undefined where a text does not fit the model, which is said. */
export async function scoreTexts(
  { engine, model, tokenizer, maxTokens }: Scorer,
  texts: readonly Text[],
  { signal, out, what }: Scoring,
): Promise<(TextScore | undefined)[]> {
  const { rows, setAside } = await demonstrationExamples(tokenizer, texts, { maxTokens })
  const [first] = setAside
  if (first) out.say(`${what}: ${setAside.length} of ${texts.length} are set aside; ${first.row + 1} ${first.reason}`)
  const scores: number[] = []
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    if (signal?.aborted) throw new Stopped(`stopped after ${at} of ${rows.length} ${what}; nothing was written`)
    scores.push(...(await scoresOf(engine, model, rows.slice(at, at + AT_ONCE))))
    out.progress(`${what} ${scores.length}/${rows.length}`)
  }
  out.endProgress()
  const isAside = new Set(setAside.map(({ row }) => row))
  let next = 0
  return texts.map((_, i) => {
    if (isAside.has(i)) return undefined
    const group = rows[next]!.prompt.join(' ')
    return { score: scores[next++]!, group }
  })
}
