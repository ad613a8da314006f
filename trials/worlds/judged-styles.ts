// A SIMULATION of judges who like long answers: three models of planted ratings, the best of which writes most, and votes by
// Bradley-Terry on ratings and on (a - b) / (a + b) of length. Votes of one prompt go together (half of them are by one draw that the
// prompt has), and some are ties, without moving any pair's rate: what was planted is what an estimator should find.
import type { ModelPair } from '#evaluate'
import type { Judgement } from '#schema'
import { generator, winProbability } from '#stats'

export const RATINGS: Record<string, number> = { candidate: 0.5, current: 0.1, sft: -0.6 }
/** Logits for a difference of 1 in length; lists are in the texts, and nobody cares. */
export const LENGTH = 1.5
const LOG_LENGTH: Record<string, number> = { candidate: 5.3, current: 5, sft: 4.8 }
const SHARED = 0.5
const TIES = 0.2

export function judgedStyles(prompts: number, seed: number): { pairs: ModelPair[]; judgements: Judgement[] } {
  const random = generator(seed)
  const names = Object.keys(RATINGS)
  const pairs: ModelPair[] = []
  const judgements: Judgement[] = []
  for (let prompt = 0; prompt < prompts; prompt++) {
    const texts = new Map(
      names.map((name, i) => [name, textOf(i, Math.exp(LOG_LENGTH[name]! + 0.4 * random.normal()))]),
    )
    const ofPrompt = random.uniform()
    for (const both of [names.slice(0, 2), names.slice(1), [names[2]!, names[0]!]]) {
      const [first, second] = random.shuffle(both) as [string, string]
      const [a, b] = [texts.get(first)!, texts.get(second)!]
      const item = `pair-${pairs.length + 1}`
      pairs.push({ item, group: `row ${prompt}`, prompt: `q${prompt}`, a, b, models: [first, second] })
      const byLength = (LENGTH * (a.length - b.length)) / (a.length + b.length)
      const p = winProbability(RATINGS[first]! + byLength, RATINGS[second]!)
      // The prompt's draw is turned with the sides, or it would say nothing of the models.
      const shared = first < second ? ofPrompt : 1 - ofPrompt
      const draw = random.uniform() < SHARED ? shared : random.uniform()
      const half = TIES * Math.min(p, 1 - p)
      const choice = draw < p - half ? 'left' : draw < p + half ? 'tie' : 'right'
      judgements.push({ item, annotator: 'simulated', left: a, right: b, choice, simulated: true })
    }
  }
  return { pairs, judgements }

  function textOf(salt: number, length: number): string {
    const lists = '- x\n'.repeat(random.int(4))
    return `${lists}${salt}${'y'.repeat(Math.max(1, Math.round(length) - lists.length))}`
  }
}
