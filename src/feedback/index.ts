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
export { type AgreementReport, ratingsOf, reportAgreement } from './agreement-report.ts'
export { type AnnotatorReport, reportAnnotators } from './annotators.ts'
export { type Annotator, type AssignableItem, assign, type Assignment, sideOf } from './assignment.ts'
export { type AggregationEvidence, type AggregationMethod, chooseAggregation } from './choose-aggregation.ts'
export { gatherItems, type Item, type Vote, votesByAnnotator } from './items.ts'
export { type GoldAnswer, type Qualification, qualify, type SideConfusion } from './qualification.ts'
export { type CoinCounts, type Coins, type Fit, fitCoins, posteriorOf, skillOf, type Tying } from './two-coin.ts'
