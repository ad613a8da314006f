// From step to step: a gate that failed ends the turn there, before anything is built on what did not hold. A plan that is
// too small for its gates says so and goes past them; each time it does is said on screen and stays in the report.
import type { GateResult } from '#schema'
import type { Stage } from './stage.ts'

/** `stops`: why the turn ends; `past`: what it went past all the same. Neither where every gate held. */
export type Passage = { stops?: string; past?: string }

export function passageFrom(
  { out, pastGates }: Pick<Stage, 'out' | 'pastGates'>,
  what: string,
  gates: readonly GateResult[],
): Passage {
  const failed = gates.filter(({ passed }) => !passed)
  if (failed.length === 0) return {}
  const evidence = failed.map(({ name, evidence: figures }) => `${name} (${figures})`).join('; ')
  const sentence = `${what} failed: ${evidence}`
  out.endProgress()
  if (pastGates === undefined) return { stops: sentence }
  out.say(`        ${sentence}; goes on all the same: ${pastGates}`)
  return { past: `${sentence}. It went on: ${pastGates}.` }
}
