// Bundled domains that a new project can begin from: a folder with objective.json, guideline.md and prompts.jsonl, each of
// which it may lack but the first. The project gets copies of its own, and goes its own way.
import fs from 'node:fs'
import { join } from 'node:path'
import { importVersion } from '#data'
import { HttpError } from '#errors'
import { writeDurable } from '#files'
import { Objective } from '#schema'
import { addGuideline, type Project, type Query } from '#store'
import type { Service } from './call.ts'
import { objectiveKept } from './objective.ts'

export type DomainFolder = { name: string; folder: string }
export type Domain = DomainFolder & { summary: string; criteria: number; prompts: number }

const PROMPTS = 'prompts'

/** What of it there is to begin from. */
export function readDomain({ name, folder }: DomainFolder): Domain {
  const { summary, criteria } = readObjective(folder)
  const prompts = readText(folder, `${PROMPTS}.jsonl`) ?? ''
  return { name, folder, summary, criteria: criteria.length, prompts: prompts.split('\n').filter(Boolean).length }
}

export function domainNamed({ domains }: Service, name: string): Domain {
  const found = domains.find((domain) => domain.name === name)
  if (found) return found
  throw new HttpError(422, `domain: expected one of ${domains.map((each) => each.name).join(', ')}, got ${name}`)
}

/**
 * Objective, guideline and prompts of a domain become the project's own. Call it in the transaction that makes the project:
 * files are written before it commits, and a project of that name is not there without them.
 */
export async function beginFrom(
  { workspace }: Service,
  query: Query,
  { domain: { folder }, project, user }: { domain: Domain; project: Project; user: string },
): Promise<void> {
  readObjective(folder)
  writeDurable(join(workspace, project.objectiveFile), fs.readFileSync(join(folder, 'objective.json')))
  const guideline = readText(folder, 'guideline.md')
  const objective = objectiveKept(workspace, project)
  if (guideline !== undefined) await addGuideline(query, project.id, { text: guideline.trim(), by: user, objective })
  // The command line reads the workspace's own, as `hone init` leaves them.
  if (guideline !== undefined && project.filePrefix === '' && readText(workspace, 'guideline.md') === undefined)
    writeDurable(join(workspace, 'guideline.md'), guideline)
  const prompts = join(folder, `${PROMPTS}.jsonl`)
  if (fs.existsSync(prompts))
    await importVersion(workspace, prompts, { kind: 'prompts', name: `${project.filePrefix}${PROMPTS}` })
}

function readObjective(folder: string): Objective {
  return Objective.parse(JSON.parse(fs.readFileSync(join(folder, 'objective.json'), 'utf8')))
}

function readText(folder: string, name: string): string | undefined {
  const file = join(folder, name)
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : undefined
}
