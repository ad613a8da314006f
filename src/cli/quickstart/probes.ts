// Probes of the quickstart's reward model: completions of its held-out pairs, changed in ways whose effect is known. The simulated
// gold reads the same changes: a courtesy that it pays for is no bias of the reward model.
import type { Model } from '#engine/contract'
import { probeResults } from '#evaluate'
import { readConfig } from '#lm'
import type { ProbeReport } from '#schema'
import { deriveSeed, type Interval } from '#stats'
import { MOST_PROBED } from '../evaluate-reward.ts'
import { type Probed, probeReward, type ScoredText } from '../reward-probes.ts'
import type { Stage } from './stage.ts'

export async function probe(
  stage: Stage,
  model: Model,
  { texts, weights }: { texts: readonly ScoredText[]; weights: string },
): Promise<ProbeReport[]> {
  const { engine, tokenizer, out, signal } = stage
  const seed = deriveSeed(stage.seed, 'probes')
  const maxTokens = readConfig(weights).maxPositionEmbeddings
  const scorer = { engine, model, tokenizer, maxTokens }
  const probed = await probeReward(scorer, texts, { most: MOST_PROBED, seed, out, signal })
  const gold = goldChanges(stage, probed, seed)
  return probed.at(0.95).probes.map((row) => ({ ...row, ...(gold.has(row.name) && { gold: gold.get(row.name)! }) }))
}

/** Empty where the gold tells none of the unchanged completions apart, as it may on very few. */
function goldChanges({ domain }: Stage, { chosen, made }: Probed, seed: number): Map<string, Interval> {
  const read = (prompt: ScoredText['prompt'], completion: string) =>
    domain.gold.read(prompt as string, completion).score
  const scores = chosen.map(({ prompt, completion }) => read(prompt, completion))
  if (scores.every((score) => score === scores[0])) return new Map()
  const { probes } = probeResults(
    {
      scores,
      groups: chosen.map(({ group }) => group),
      changed: made.map(({ probe: name, row, completion }) => ({
        probe: name,
        row,
        score: read(chosen[row]!.prompt, completion),
      })),
    },
    { seed },
  )
  return new Map(probes.map(({ name, change }) => [name, change]))
}
