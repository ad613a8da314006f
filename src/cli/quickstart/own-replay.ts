// Replay without anybody's text: the base continues random tokens, and rehearses beside the demonstrations what it said
// then. The idea of data-free distillation from one's own samples, as in LLM-QAT (arXiv 2305.17888).
import { sampleRollouts } from '#align'
import { deriveSeed, generator } from '#stats'
import { type Stage, withWeights } from './stage.ts'

/** `rows` texts of about `tokens` tokens, each begun by one token drawn from the whole vocabulary. */
export function ownTexts(stage: Stage, { rows, tokens }: { rows: number; tokens: number }): Promise<string[]> {
  const { seed, base, engine, tokenizer, signal } = stage
  const draw = generator(deriveSeed(seed, 'quickstart', 'own replay'))
  const starts = Array.from({ length: rows }, () => Int32Array.of(draw.int(tokenizer.vocabSize)))
  return withWeights(stage, base, async (model) => {
    const rollouts = await sampleRollouts(engine, model, starts, {
      maxTokens: tokens,
      temperature: 1,
      stopTokens: tokenizer.eosIds,
      seed: deriveSeed(seed, 'quickstart', 'own replay samples'),
      ...(signal && { signal }),
    })
    return rollouts.map(({ prompt, completion }) =>
      tokenizer.decode(Int32Array.of(...prompt, ...completion), { skipSpecial: true }),
    )
  })
}
