// Graders, perplexity, the reward ticket, blind win rate, criteria, violations, gates and the diagnosis of a stage at fault.
export { accuracyByAnnotator, type AnnotatorAccuracies, type AnnotatorAccuracy } from './annotator-accuracy.ts'
export {
  accuracyByFold,
  decidedVotes,
  type FoldAccuracy,
  foldAnswers,
  type FoldScores,
  groupAnnotators,
} from './annotator-folds.ts'
export { type Needs, requireCapabilities } from './capabilities.ts'
export { compareCriteria, type CriterionChange, type CriterionScores } from './criteria.ts'
export { diagnose } from './diagnose.ts'
export { distinctN, selfBleu } from './diversity.ts'
export { type Facts, gatherFacts, type RewardFacts, type RlFacts, type RunFiles, type SftFacts } from './facts.ts'
export { type RatedScore, ratingAgreement, type RatingAgreement } from './expert-ratings.ts'
export { ENGLISH_REFUSAL, type Format, formatOf, type FormatRule, formatStatistics } from './format.ts'
export { gateStatistics, type GivenEvaluation, modelOfEvaluations } from './gate-statistics.ts'
export { checkGate, decideRelease, Gate, gatesOfObjective, type Verdict } from './gates.ts'
export {
  type Grade,
  type GradedRow,
  graderOf,
  type GraderSpec,
  gradeRows,
  meanScore,
  type SuiteResult,
} from './graders.ts'
export { atLevels, levelsOfTargets } from './levels.ts'
export { type Meeting, meetingsOf, shuffledMeetings } from './meetings.ts'
export {
  type Perplexity,
  perplexityOf,
  perplexityRatio,
  promptGain,
  type RowLoss,
  rowLosses,
  type TokenRow,
} from './perplexity.ts'
export {
  FEWEST_PROMPTS,
  perturb,
  type Perturbed,
  type ProbeResult,
  probeResults,
  type ProbeResults,
  type ScoreDrift,
  scoreDrift,
} from './probes.ts'
export { type ModelPair, type ModelRatings, rateModels, type Strengths, type StyleEffect } from './ratings.ts'
export {
  bestOfNCurve,
  type BestOfNPoint,
  humanCeiling,
  rewardTicket,
  type RewardTicket,
  type ScoredPair,
  type TicketOptions,
} from './reward-ticket.ts'
export { HOW_TO_GET_A_TICKET, ticketRefusal } from './ticket-refusal.ts'
export { type ChoiceScores, choiceScores, chosen } from './tasks/choices.ts'
export { taskPrompts } from './tasks/prompts.ts'
export { readTask, type Task } from './tasks/read.ts'
export { type TaskChange, taskChange, TaskSample, taskStatistics } from './tasks/results.ts'
export { scoreOf } from './tasks/rows.ts'
export { type Style, styleDifference, styleOf, STYLES } from './style.ts'
export { compareViolations, type Violations } from './violations.ts'
export { type Standing, type Weighted, weightedChange, weightedWinRate } from './weighted.ts'
export { shareOf, sharesOf, winRate, type WinRate } from './win-rate.ts'
