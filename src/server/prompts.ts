// Rows of a dataset version that have a prompt, whatever else they hold; and how a prompt begins, for lists.
import { findVersion, versionRows } from '#data'
import { DataError } from '#errors'
import type { Prompt, PromptRow } from '#schema'

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

const OPENING = 80

/** What the user says last, as far as a line of a list goes. */
export function openingOf(prompt: Prompt): string {
  const text =
    typeof prompt === 'string' ? prompt : (prompt.findLast(({ role }) => role === 'user') ?? prompt[0]!).content
  return text.length > OPENING ? `${text.slice(0, OPENING)}…` : text
}
