// From people's judgements to preferences: assignment, qualification, agreement, aggregation, bias. Sees no gold score and no model.
export { type Aggregation, aggregate, type AnnotatorSkill } from './aggregate.ts'
export {
  cohenKappa,
  type CountTable,
  countTable,
  fleissKappa,
  gwetAC,
  krippendorffAlpha,
  percentAgreement,
  type Rating,
  type Scale,
} from './agreement.ts'
export {
  AGREEMENT_PARTS,
  type AgreementOfPart,
  type AgreementPart,
  type AgreementReport,
  ratingsOf,
  reportAgreement,
  reportAgreementBy,
} from './agreement-report.ts'
export { type AnnotatorReport, reportAnnotators } from './annotators.ts'
export { rowsOfQuestion } from './questions.ts'
export { pairsOfRanking, type Ranking } from './rankings.ts'
export { type Annotator, type AssignableItem, assign, type Assignment, sideOf } from './assignment.ts'
export { type AggregationEvidence, chooseAggregation } from './choose-aggregation.ts'
export { type Change, compareGuidelines, type GuidelineComparison } from './compare-guidelines.ts'
export { type Answers, chanceOfFirst, type CrowdRatings, crowdBradleyTerry, type Game } from './crowd-bradley-terry.ts'
export { type Dispute, findDisputes } from './disputes.ts'
export { dawidSkene, type DawidSkeneFit, type DawidSkeneOptions, skillsOf } from './dawid-skene.ts'
export { findGiveaways } from './giveaways.ts'
export { glad, type GladFit } from './glad.ts'
export { gatherItems, type Item, leaning, type Vote, votesByAnnotator } from './items.ts'
export { type Label, type LabelFit, type LabelTable, tabulate, tabulateVotes, voteShares } from './label-table.ts'
export { mace, type MaceFit, type MaceOptions } from './mace.ts'
export {
  coinsOfCrowd,
  decideOverlap,
  decideOverlaps,
  OVERLAP_RULE,
  type OverlapDecision,
  type OverlapRule,
} from './overlap.ts'
export { AGGREGATION_METHODS, type AggregationMethod, fitPairs, type PairFit } from './pair-models.ts'
export {
  type Finding,
  PEOPLE_TESTS,
  type PeopleReport,
  type PeopleTest,
  type PersonReport,
  reportPeople,
} from './people.ts'
export {
  type GoldAnswer,
  knownFrom,
  passes,
  type Qualification,
  qualify,
  type SideConfusion,
} from './qualification.ts'
export {
  agreementMatrix,
  ANSWER_KINDS,
  PACE_EDGES,
  type PairAgreement,
  tallyOf,
} from './tallies.ts'
export {
  type CoinCounts,
  type Coins,
  coinsGiven,
  type Fit,
  fitCoins,
  posteriorOf,
  skillOf,
  type Tying,
} from './two-coin.ts'
