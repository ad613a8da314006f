// Postgres: people, campaigns, judgements, and an index of the files. Statements stand beside their tables.
export { audit, auditRows, latestAudit, sealAudit, verifyAudit } from './audit.ts'
export { isBusy, isDown } from './embedded.ts'
export {
  countOwners,
  createProject,
  createUser,
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
export { type RunFolder, listRunFolders } from './runs.ts'
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
export {
  type Answer,
  claim,
  findTask,
  flag,
  heartbeat,
  isItemOf,
  listPast,
  noteReading,
  releaseExpired,
  reopen,
  saveDraft,
  skip,
  standing,
  submit,
} from './annotating.ts'
export {
  addGuideline,
  type Campaign,
  createCampaign,
  findCampaign,
  listCampaigns,
  listFlags,
  listGuidelines,
  listItems,
  listJudgements,
  type NewItem,
  newestGuideline,
  openFor,
  progressByPerson,
  setCampaignState,
  type StoredJudgement,
} from './campaigns.ts'
