// Look-up accuracy: greedy answers to questions on notes. What a base must be able to do before anything is taught.
import type { Engine } from '#engine/contract'
import { sampleRollouts } from '#align'
import { type Interval, wilson } from '#stats'
import { loadTokenizer } from '#text'

export async function lookupAccuracy(
  engine: Engine,
  folder: string,
  questions: { prompt: string; answer: string }[],
): Promise<Interval> {
  const tokenizer = loadTokenizer(folder)
  const model = await engine.load({ from: { weights: folder }, trains: 'nothing' })
  try {
    const rollouts = await sampleRollouts(
      engine,
      model,
      questions.map(({ prompt }) => tokenizer.encodePrompt(prompt)),
      { maxTokens: 8, temperature: 0, stopTokens: tokenizer.eosIds, seed: 0 },
    )
    const right = rollouts.filter(({ completion }, i) => {
      const text = tokenizer.decode(completion, { skipSpecial: true })
      const { answer } = questions[i]!
      return text.startsWith(answer) && !/^[\p{L}\p{N}]/u.test(text.slice(answer.length))
    })
    return wilson(right.length, questions.length)
  } finally {
    await engine.release(model)
  }
}
