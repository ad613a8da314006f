// The records that runs, models, evaluations and releases leave, and the walk over them: what came from what.
export {
  Artifact,
  Evaluation,
  opponentsOf,
  PairsKey,
  readEvaluation,
  readJsonFile,
  readRelease,
  type Release,
  RoundKey,
  writeEvaluation,
} from './evaluations.ts'
export { type Below, belowOf, graphOfBelow } from './below.ts'
export { addCard, findRecords, readGraph, versionHashOf } from './graph.ts'
export {
  checkCriterion,
  guidelineLabel,
  guidelineNamed,
  type GuidelineVersion,
  keepGuideline,
  listGuidelines,
  readGuideline,
  sentencesOf,
} from './guideline-versions.ts'
export { foldSentences, type WrittenGuideline } from './guidelines.ts'
export { type Made, readMade } from './made.ts'
export {
  type Edge,
  type Graph,
  type Kind,
  type Node,
  next,
  nodeOf,
  reach,
  type Way,
  withEdges,
} from './nodes.ts'
export { readObjectiveFile } from './objective-file.ts'
export {
  keepObjective,
  keptObjective,
  objectiveInForce,
  objectivesBehind,
  objectivesDiffer,
  shortObjective,
  stampOf,
  type Under,
} from './objectives.ts'
export { objectivesOn, withoutDetours } from './stamps.ts'
export { addRow, type Place, type Row, rowsNamed, rowsOf } from './rows.ts'
export { readCardOf } from './runs.ts'
export { addExtra, beginningsOf, type Extra, type LooseJudgement, type Walk, walkFrom } from './walk.ts'
