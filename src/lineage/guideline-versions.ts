// Versions of a workspace's guideline, each bound to the objective it was written for: a line in guidelines.jsonl, both
// texts as artifacts, so that judgements can name what they were made under after the files have been edited. A sentence
// that ends with [CRITERION] is about that criterion alone; the others are about all of them.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { canonicalJson, openLog, putArtifact, readArtifact, sha256 } from '#files'
import { Objective } from '#schema'
import { readJsonFile } from './evaluations.ts'
import { readObjectiveFile } from './objective-file.ts'

const Hash = z.string().regex(/^[0-9a-f]{64}$/)
const GuidelineVersion = z.strictObject({
  guideline: Hash.describe('SHA-256 of the text'),
  name: z.string(),
  objective: Hash.describe('SHA-256 of its canonical JSON'),
  created: z.iso.datetime(),
})
export type GuidelineVersion = z.infer<typeof GuidelineVersion>
export type Sentence = { id: string; text: string; criterion?: string }

const FILE = 'guidelines.jsonl'
const TAG = /\s*\[([a-z][a-z0-9-]*)\]\s*$/

/** Makes the workspace's guideline.md and objective.json a version, unless they are one; undefined where it has no guideline. */
export function keepGuideline(
  workspace: string,
  { name = 'guideline' }: { name?: string } = {},
): GuidelineVersion | undefined {
  const file = join(workspace, 'guideline.md')
  const objectiveFile = join(workspace, 'objective.json')
  if (!fs.existsSync(file) || !fs.existsSync(objectiveFile)) return undefined
  const { objective: read, hash } = readObjectiveFile(objectiveFile)
  const text = fs.readFileSync(file, 'utf8')
  const names = read.criteria.map((criterion) => criterion.name)
  const stray = sentencesOf(text).find(({ criterion }) => criterion !== undefined && !names.includes(criterion))
  if (stray)
    throw new DataError(
      `expected [criterion] among ${names.join(', ')}, got [${stray.criterion}] after: ${stray.text}`,
      {
        file,
      },
    )
  const known = listGuidelines(workspace).find(
    (version) => version.guideline === sha256(text) && version.objective === hash && version.name === name,
  )
  if (known) return known
  const version: GuidelineVersion = {
    guideline: putArtifact(workspace, text),
    name,
    objective: putArtifact(workspace, canonicalJson(read)),
    created: new Date().toISOString(),
  }
  const log = openLog(join(workspace, FILE))
  try {
    log.append(version)
    log.sync()
  } finally {
    log.close()
  }
  return version
}

/** All versions, oldest first. */
export function listGuidelines(workspace: string): GuidelineVersion[] {
  const file = join(workspace, FILE)
  if (!fs.existsSync(file)) return []
  return fs
    .readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, i) => {
      if (line === '') return []
      const parsed = GuidelineVersion.safeParse(parse(line))
      if (parsed.success) return [parsed.data]
      throw new DataError('expected a guideline version that hone wrote: restore the file', { file, line: i + 1 })
    })
}

/** What judgements carry: short enough to read, long enough to be found by. */
export function guidelineLabel({ name, guideline }: GuidelineVersion): string {
  return `${name}@${guideline.slice(0, 12)}`
}

/** The version that a judgement names: by its label, else the newest of that name. */
export function guidelineNamed(versions: readonly GuidelineVersion[], label: string): GuidelineVersion | undefined {
  const byLabel = versions.findLast((version) => guidelineLabel(version) === label)
  return byLabel ?? versions.findLast((version) => version.name === label)
}

/** Texts of a version, from the artifacts. */
export function readGuideline(
  workspace: string,
  { guideline, objective }: GuidelineVersion,
): { objective: Objective; sentences: Sentence[] } {
  const text = (hash: string) => Buffer.from(readArtifact(workspace, hash)).toString('utf8')
  return {
    objective: Objective.parse(JSON.parse(text(objective))),
    sentences: sentencesWithIds(guideline, text(guideline)),
  }
}

export function sentencesWithIds(guideline: string, text: string): Sentence[] {
  return sentencesOf(text).map((sentence) => ({ ...sentence, id: sha256(`${guideline} ${sentence.text}`) }))
}

/** The criterion that --criterion names must be of the workspace's objective, where there is one. */
export function checkCriterion(workspace: string | undefined, criterion: string): void {
  const file = workspace === undefined ? undefined : join(workspace, 'objective.json')
  if (file === undefined || !fs.existsSync(file)) return
  const parsed = Objective.safeParse(readJsonFile(file))
  if (!parsed.success || parsed.data.criteria.some(({ name }) => name === criterion)) return
  throw new ConfigError(
    `--criterion: expected one of ${parsed.data.criteria.map(({ name }) => name).join(', ')}, got ${criterion}`,
  )
}

/** Sentences of markdown: headings are none, a list item or paragraph has one or several, its tag is about all of them. */
export function sentencesOf(markdown: string): Omit<Sentence, 'id'>[] {
  const blocks = markdown
    .replace(/^#.*$/gm, '')
    .split(/\n\s*\n|\n(?=\s*(?:[-*+]|\d+[.)])\s)/)
    .map((block) =>
      block
        .replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '')
        .replace(/\s+/g, ' ')
        .trim(),
    )
    .filter(Boolean)
  return blocks.flatMap((block) => {
    const criterion = TAG.exec(block)?.[1]
    const sentences = block.replace(TAG, '').split(/(?<=[.?!])\s+(?=\p{Lu})/u)
    return sentences.map((text) => ({ text, ...(criterion !== undefined && { criterion }) }))
  })
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
