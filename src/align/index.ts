// Losses, advantages, monitors, and one straight loop per recipe. Knows no tensor, tokenizer, file or store.
export { gae, whiten } from './advantages.ts'
export { type Alarm, type AlarmAction, alarmsOf, type History, markAlarms } from './alarms.ts'
export { dpo, type DpoInput } from './dpo.ts'
export type {
  CheckpointReason,
  Example,
  JsonValue,
  Metrics,
  Outcome,
  PairExample,
  Recipe,
  RecipeEvent,
  Reply,
  Resume,
  Sample,
} from './events.ts'
export { klEstimates, type KlEstimates } from './losses/kl.ts'
export {
  bestMark,
  type Check,
  decide,
  type Judge,
  type JudgedPair,
  type MarkPair,
  type MarkResult,
  type Verdict,
} from './marks.ts'
export { distinct, repetition } from './monitors.ts'
export { checkCritic, ppo, type PpoInput } from './ppo.ts'
export { reward, rewardAccuracy, type RewardInput, scoresOf } from './reward.ts'
export { type Rollout, sampleRollouts } from './rollouts.ts'
export { sequenceOf } from './sequences.ts'
export { lossPerToken, sft, type SftInput } from './sft.ts'
export { learnedReward, type RewardTerm } from './terms.ts'
export { SAMPLES_MAX_TOKENS, type Watched } from './watched.ts'
