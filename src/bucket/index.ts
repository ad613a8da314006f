// Artifacts in an S3-compatible store, with the workspace's folder as the copy that everything works on.
export { type Checked, checkArtifacts } from './check.ts'
export type { Moved, OnMoved } from './known.ts'
export { type Bucket, bucketAt } from './place.ts'
export { probeBucket } from './probe.ts'
export { bucketOf } from './settings.ts'
export {
  bringArtifacts,
  fillFolder,
  keepSending,
  moveToBucket,
  moveToFolder,
  notSent,
  sendArtifact,
  sendArtifacts,
  unsentArtifacts,
} from './workspace.ts'
