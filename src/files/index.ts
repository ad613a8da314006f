// Durable writes, hashes, manifests, logs: what must be on disk whole, or not at all.
export { artifactPath, putArtifact, readArtifact } from './artifacts.ts'
export {
  type Content,
  type Disk,
  diskError,
  makeFolder,
  moveDurable,
  syncFolder,
  writeDurable,
  writeNew,
  type Written,
} from './disk.ts'
export {
  commitFolder,
  filesUnder,
  hashFolder,
  MANIFEST,
  type Manifest,
  type ManifestFile,
  readManifest,
  refuseFull,
  sealManifest,
  temporaryFolder,
  verifyManifest,
  writeManifest,
  writeWholeFolder,
} from './folder.ts'
export { canonicalJson, hashRow, sha256, sha256File, sha256Into } from './hash.ts'
export { sha256Files } from './hash-beside.ts'
export { type Hold, holdFolder, isAlive, isFolderHeld } from './hold.ts'
export { type Log, openLog } from './log.ts'
export { writeNewFiles } from './new-files.ts'
