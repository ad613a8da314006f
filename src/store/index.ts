// Postgres: people, campaigns, judgements, and an index of the files. Statements stand beside their tables.
export { audit, auditRows, latestAudit, sealAudit, verifyAudit } from './audit.ts'
export {
  type AnswerDraft,
  type AtHand,
  type Content,
  countCompletions,
  countMine,
  findAtHand,
  listPastAnswers,
  listStoredAnswers,
  promptOf,
  reopenAnswer,
  type StoredAnswer,
  submitAnswer,
} from './answers.ts'
export {
  adjudicate,
  type Adjudication,
  findCase,
  listAnswers,
  listHistory,
  listItemFlags,
  listSettled,
  noteFirstLook,
} from './adjudications.ts'
export {
  concludeAttempt,
  type GoldJudgement,
  isGold,
  listAttemptAnswers,
  listAttempts,
  listItemPage,
  listOpenGold,
  markGold,
  type QualificationRule,
  retryState,
  setGoldRules,
} from './gold.ts'
export { backup, type OnProgress } from './backup/backup.ts'
export { restore } from './backup/restore.ts'
export {
  draftedAnswer,
  findReturned,
  findSubmission,
  findToReview,
  findWriting,
  giveUp,
  holdReviews,
  listSubmissions,
  reviewSubmission,
  type Submission,
  submitDemonstration,
  writingFor,
  type Writing,
  writingProgress,
} from './demonstrations.ts'
export { addRemark, discussionsFor, listDiscussion, tookPart } from './calibration.ts'
export {
  goldScore,
  listPauses,
  pausedIn,
  pausePerson,
  resumePerson,
  setPauseRule,
} from './pauses.ts'
export { isBusy, isDown } from './embedded.ts'
export {
  askJob,
  claimJob,
  type ClaimedJob,
  createJob,
  type Ending,
  findJob,
  type JobState,
  listJobs,
  mayStart,
  MOST_DEATHS,
  renewLease,
  settleJob,
  type StoredJob,
  wakeWaiting,
  type Wish,
} from './jobs.ts'
export {
  countOwners,
  createProject,
  createUser,
  disableUser,
  enableUser,
  listAccounts,
  findMember,
  findMembership,
  findUser,
  hasUsers,
  listMembers,
  mayResetPassword,
  passwordHashOf,
  type Project,
  projectsOf,
  removeMember,
  setPassword,
  setRole,
  type User,
} from './people.ts'
export {
  type ApiKey,
  createApiKey,
  findKeyHolder,
  type KeyHolder,
  type KeyScope,
  listApiKeys,
  revokeApiKey,
} from './api-keys.ts'
export {
  addRelease,
  addWaiver,
  type Candidacy,
  createCandidacy,
  findCandidacy,
  findRelease,
  listCandidacies,
  listReleases,
  type ReleaseEntry,
  signCandidacy,
  type Waiver,
} from './releases.ts'
export {
  createEvaluation,
  type EvaluationRow,
  findEvaluation,
  listEvaluations,
  nextToOpen,
  noteCampaign,
  recordEvaluation,
} from './evaluations.ts'
export {
  claimFill,
  createFill,
  drawnRows,
  endFill,
  type Fill,
  type FillModel,
  type FillState,
  findFill,
  findFillById,
  keepFill,
  leaveFill,
  listFills,
  listSamples,
  noteModels,
  resumeFill,
  type Sample,
  saveSamples,
  stopFill,
} from './fills.ts'
export { type ImportedJudgement, importJudgements } from './imported.ts'
export { findModelComparison, keepModelComparison, type ModelComparison } from './model-comparisons.ts'
export { listModelFolders, type ModelFolder, rewardAccuracyOf } from './models.ts'
export { findMark, type MarkCampaign, missingMarks, projectOfRun, putMark } from './marks.ts'
export {
  findRunFolder,
  lastMetrics,
  listCheckpoints,
  listRunFolders,
  readRunConfig,
  readRunFacts,
  type RunFacts,
  type RunFolder,
} from './runs.ts'
export {
  clearAttempts,
  countAttempt,
  createLink,
  createSession,
  endOtherSessions,
  endSession,
  findLink,
  findSession,
  takeLink,
} from './sessions.ts'
export { openStore, type Query, type Store } from './store.ts'
export { closeOverdue, setDeadline } from './deadlines.ts'
export { tellLapses } from './lapses.ts'
export {
  type Credential,
  endCredential,
  expertiseIn,
  giveCredential,
  isQualifiedFor,
  listCredentials,
} from './credentials.ts'
export {
  listPastReviews,
  listTakenBackReviews,
  takeBackReview,
  takeBackSubmission,
} from './taking-back.ts'
export { assignSlice, type Slice, unknownItems } from './assigning.ts'
export { listShares, listSlices, unassign } from './assignments.ts'
export { isAtLimit, type Limits, mostOfOne, setLimits } from './caps.ts'
export {
  ITEM_ORDERS,
  type ItemOrder,
  type Judged,
  listUnsettled,
  orderable,
  setItemOrder,
  setRanks,
} from './ordering.ts'
export {
  countSuggestions,
  isEvaluating,
  reveal,
  setSuggestions,
  type Shown,
  type Suggested,
  type Suggestion,
  type SuggestionRule,
} from './suggestions.ts'
export { claim, claimItem, findTask, heartbeat, releaseExpired } from './claims.ts'
export { type Answer, isAnswered, type Rules, submit, type WantsMore } from './judging.ts'
export {
  findShown,
  flag,
  isItemOf,
  listPast,
  noteReading,
  reopen,
  saveDraft,
  skip,
  standing,
} from './annotating.ts'
export {
  type AskedCriterion,
  type Campaign,
  type CampaignFacts,
  countTotals,
  type CampaignKind,
  createCampaign,
  type CriterionAnswer,
  findCampaign,
  findCampaignFacts,
  listCampaigns,
  type NewItem,
  type OfItem,
  openFor,
  setCampaignState,
  type Totals,
} from './campaigns.ts'
export {
  addGuideline,
  findGuideline,
  type Guideline,
  listGuidelines,
  newestGuideline,
} from './guidelines.ts'
export {
  addObjective,
  findObjective,
  holdObjective,
  listObjectives,
  objectiveOwners,
  objectiveTexts,
  type ObjectiveVersion,
} from './objectives.ts'
export { findSettings, keepSettings } from './settings.ts'
export { dropUnsaved, type Editor, findUnsaved, keepUnsaved } from './unsaved.ts'
export {
  listFlags,
  listItems,
  listJudgements,
  progressByPerson,
  listSkipReasons,
  listTexts,
  type StoredItem,
  type StoredJudgement,
  versionOfAnswers,
} from './given.ts'
export {
  listMatching,
  listWithdrawals,
  listWithdrawn,
  undoWithdrawal,
  withdraw,
} from './withdrawals.ts'
export {
  addDelivery,
  type ClaimedDelivery,
  claimDelivery,
  createWebhook,
  findWebhook,
  forgetDeliveries,
  listDeliveries,
  listWebhooks,
  removeWebhook,
  repeatDelivery,
  settleDelivery,
} from './webhooks.ts'
