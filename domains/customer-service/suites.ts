// Suites of the domain: prompts of customers kept apart, and what is read from replies to them. Scores come from the
// simulated gold and are labelled so.
import type { Comparison } from '#schema'
import { type CriterionName, random } from '#simulate'
import { grammar } from './demonstrations.ts'
import { gold } from './gold.ts'
import { type DeskPrompt, prompts } from './prompts.ts'

export type Suite = { name: 'natural' | 'violations' | 'refund-billing'; prompts: DeskPrompt[] }

/** `natural` for criteria and win rate; `violations` (natural mix) and `refund-billing` for the constraint. */
export function suites(seed: number, n: { natural: number; violations: number; refundBilling: number }): Suite[] {
  return [
    { name: 'natural', prompts: prompts(seed, { n: n.natural, split: 'evaluation' }) },
    { name: 'violations', prompts: prompts(seed, { n: n.violations, split: 'violations' }) },
    {
      name: 'refund-billing',
      prompts: prompts(seed, { n: n.refundBilling, split: 'violations', mix: 'refund-billing' }),
    },
  ]
}

/** 0 to 1 by criterion of the objective, as the simulated gold reads the reply. */
export function simulatedCriteria(
  prompt: string,
  reply: string,
  o?: { finished: boolean },
): Record<CriterionName, number> {
  return gold.read(prompt, reply, o).criteria
}

/** Whether the simulated gold finds the hard constraint broken. */
export function simulatedViolation(prompt: string, reply: string): boolean {
  return gold.read(prompt, reply).isViolation
}

/** `better` is the text of the better reply. */
export type QualificationItem = Comparison & { prompt: string; better: string; readonly simulated: true }

/** Pairs of expert replies whose gold scores lie at least `margin` apart: what annotators must get right to qualify. */
export function qualificationItems(seed: number, n: number, margin = 1): QualificationItem[] {
  const items: QualificationItem[] = []
  for (const [i, p] of prompts(seed, { n, split: 'qualification' }).entries()) {
    const draw = random(seed, 'qualification', i)
    for (;;) {
      const a = grammar.sample(draw, gold.readPrompt(p.prompt)).completion
      const b = grammar.sample(draw, gold.readPrompt(p.prompt)).completion
      const difference = gold.read(p.prompt, a).score - gold.read(p.prompt, b).score
      if (Math.abs(difference) < margin) continue
      items.push({
        item: p.id,
        prompt: p.prompt,
        a,
        b,
        group: p.group,
        better: difference > 0 ? a : b,
        simulated: true,
      })
      break
    }
  }
  return items
}
