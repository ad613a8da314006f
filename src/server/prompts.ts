// Rows of a dataset version that have a prompt, whatever else they hold.
import { findVersion, versionRows } from '#data'
import { DataError } from '#errors'
import type { PromptRow } from '#schema'

/** `reference`: NAME, NAME@HASH or HASH among the workspace's datasets. */
export function promptsOf(workspace: string, reference: string): PromptRow[] {
  const version = findVersion(workspace, reference)
  return [...versionRows(workspace, version)].map((row) => {
    if (!('prompt' in row) || row.prompt === undefined)
      throw new DataError(`expected rows with prompts, ${version.name} holds ${version.kind}`)
    const { id, group, stratum, prompt } = row as PromptRow
    return {
      ...(id !== undefined && { id }),
      ...(group !== undefined && { group }),
      ...(stratum !== undefined && { stratum }),
      prompt,
    }
  })
}
