// Postgres: people, campaigns, judgements, and an index of the files. Statements stand beside their tables.
export { audit, type AuditEntry, auditRows, latestAudit, sealAudit, verifyAudit } from './audit.ts'
export { isDown } from './embedded.ts'
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
  type Member,
  passwordHashOf,
  type Project,
  projectsOf,
  removeMember,
  setDisabled,
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
  type Link,
  takeLink,
} from './sessions.ts'
export { openStore, type Query, type Store } from './store.ts'
