// Runs recipes: folders, checkpoints, resume, the models and rows that go in, the weights that come out.
export { checkpointSteps, readCheckpoint } from './checkpoints.ts'
export { type Progress } from './drive.ts'
export { DpoJob, Job, PpoJob, PretrainJob, RewardJob, SftJob } from './jobs.ts'
export { hashModel, type ModelCard, readCard, resolveModel, scoreScale } from './models.ts'
export { type MarkRow, markFile, markSteps } from './marks.ts'
export { type TextJudge, type TextVerdict } from './prepare-ppo.ts'
export { type Artifact, readRun, refuseRun, type RunRecord } from './run-folder.ts'
export { rehearse, type Rehearsal } from './rehearse.ts'
<<<<<<< HEAD
export { artifactsOf, holdsJudgements, readDemonstrations, readPairs, readTexts } from './rows.ts'
=======
export { artifactsOf, readDemonstrations, readPairs } from './rows.ts'
>>>>>>> e8e2413 (runs: the form takes PPO's rules and reward weight, SFT's replay and general texts, as the command line does)
export { readRules, type Rule, type RuleRow } from './rules.ts'
export { demonstrationExamples, pairExamples, promptTokens, textExamples } from './tokens.ts'
export { annotatorsBehind } from './trained-on.ts'
export { supervise, type Supervisor } from './supervisor.ts'
export { ticketRefusalOf } from './ticket.ts'
export { resumeWith } from './resume-with.ts'
export { branch, howToGoOn, resume, train, type Trained, type TrainOptions } from './train.ts'
