// Files named by their content: `artifacts/<first 2 of the hash>/<hash>`. The same content is stored once; reading
// checks the name.
import fs from 'node:fs'
import { dirname, join } from 'node:path'
import { DataError } from '#errors'
import { type Disk, makeFolder, writeDurable } from './disk.ts'
import { sha256 } from './hash.ts'

/** Where content of that hash lies in a workspace. */
export function artifactPath(workspace: string, hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash))
    throw new DataError(`expected a SHA-256 of 64 hex digits, got ${JSON.stringify(hash)}`)
  return join(workspace, 'artifacts', hash.slice(0, 2), hash)
}

/** Stores the content durably, unless it is there, and answers its hash. */
export function putArtifact(workspace: string, content: string | Uint8Array, disk: Disk = fs): string {
  const hash = sha256(content)
  const path = artifactPath(workspace, hash)
  if (!fs.existsSync(path)) {
    makeFolder(dirname(path), disk)
    writeDurable(path, content, disk)
  }
  return hash
}

/** The content of that hash. Missing or changed is a DataError. */
export function readArtifact(workspace: string, hash: string): Uint8Array {
  const file = artifactPath(workspace, hash)
  let content: Uint8Array
  try {
    content = fs.readFileSync(file)
  } catch (cause) {
    throw new DataError('is not in the store', { file }, { cause })
  }
  const got = sha256(content)
  if (got !== hash)
    throw new DataError(`expected content of its name, got sha256 ${got}; the file is damaged`, { file })
  return content
}
