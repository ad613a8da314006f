// Customer service: the bundled domain. All of its people, texts and scores are simulated.
import { CROWD } from './knobs.ts'
import { type SimulatedAnnotator, simulatedAnnotators } from '#simulate'

export * from './corpus/index.ts'
export {
  type DeskDemonstration,
  type Fault,
  demonstrations,
  entropyFloor,
  heldOutDemonstrations,
} from './demonstrations.ts'
export { gold } from './gold.ts'
export { knowledgeBase } from './knowledge-base.ts'
export { guideline, objective } from './objective.ts'
export { type DeskPrompt, type Mix, SPLITS, type Split, prompts } from './prompts.ts'
export { type Recipe, recipe } from './recipe.ts'
export { default as constraintRule } from './rules/constraint.ts'
export { default as factRule } from './rules/fact.ts'
export * from './suites.ts'
export { describeWorld, worldHash } from './world.ts'

/** The 16 simulated annotators of one seed. */
export function annotators(seed: number): SimulatedAnnotator[] {
  return simulatedAnnotators(seed, CROWD)
}
