// Files that runs take beside datasets: rule terms and general texts. What is sent is kept by its content; what earlier runs
// of the project took can be taken again from where it lies in the workspace. Rules that name further files (a JSON schema, a
// module) are taken from the workspace only: what was sent has nothing beside it, and nobody brings code in by a browser.
import fs from 'node:fs'
import { join } from 'node:path'
import { sendArtifact } from '#bucket'
import { readTexts } from '#data'
import { DataError, HttpError } from '#errors'
import { artifactPath, putArtifact, sha256 } from '#files'
import { RunOrder, ruleTermsOf, type Takes, takesOf } from '#schema'
import { type Project, readRunConfig } from '#store'
import type { Service } from './call.ts'
import { fileName, spool } from './handlers/data.ts'
import { type OwnRun, ownRuns } from './run-views.ts'

export type FileKind = Extract<Takes, 'rules' | 'texts'>
type RunFile = { file: string; kind: FileKind }

/** All of it is in memory once, as a run has it. */
const MOST_BYTES: Record<FileKind, number> = { rules: 2 ** 20, texts: 256 * 2 ** 20 }

/** Texts of these are told from others by the name, which is not kept. */
const TOLD_BY_NAME = /\.(csv|json)(\.gz)?$/i

/** Keeps what is sent, unless it is there; `count`: its terms or texts. @throws HttpError 413, or 422 with what is wrong. */
export async function keepRunFile(
  { workspace }: Service,
  upload: ReadableStream<Uint8Array>,
  { kind, name }: { kind: FileKind; name: string | undefined },
): Promise<{ file: string; count: number; isNew: boolean }> {
  const folder = fs.mkdtempSync(join(workspace, '.upload-'))
  try {
    const sent = join(folder, fileName(name))
    await spool(upload, sent, MOST_BYTES[kind])
    const count = await countIn(sent, { kind, isSent: true })
    const isLines = kind === 'texts' && TOLD_BY_NAME.test(sent)
    const content = isLines ? linesOf(await readTexts(sent)) : fs.readFileSync(sent)
    const isNew = !fs.existsSync(artifactPath(workspace, sha256(content)))
    const hash = putArtifact(workspace, content)
    await sendArtifact(workspace, hash)
    return { file: artifactOf(hash), count, isNew }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function linesOf(texts: readonly string[]): string {
  return texts.map((text) => `${JSON.stringify({ text })}\n`).join('')
}

/** @throws HttpError 422 where it is none that was sent or that a run of the project took, or is wrong. */
export async function checkRunFile(service: Service, project: Project, { file, kind }: RunFile): Promise<void> {
  const hash = /^artifacts\/[0-9a-f]{2}\/([0-9a-f]{64})$/.exec(file)?.[1]
  const isSent = hash !== undefined && artifactOf(hash) === file
  const path = join(service.workspace, file)
  const isKnown = isSent
    ? fs.existsSync(path)
    : (await runFilesOf(service, project)).some((known) => known.file === file)
  if (!isKnown) throw new HttpError(422, `expected a file that was sent, or that an earlier run took, got ${file}`)
  await countIn(path, { kind, isSent })
}

/** What runs of the project took and is still there, that of the newest first. */
export async function runFilesOf(service: Service, project: Project): Promise<(RunFile & { words: string })[]> {
  const found = new Map<string, RunFile & { words: string }>()
  for (const own of await ownRuns(service, project))
    for (const { file, kind } of filesOf(service.workspace, own)) {
      const key = `${kind} ${file}`
      if (!found.has(key) && fs.existsSync(join(service.workspace, file)))
        found.set(key, { file, kind, words: `of ${own.run}` })
    }
  return [...found.values()]
}

/** By paths in the workspace: from the run's config, before it began from its order. */
function filesOf(workspace: string, { run, job }: OwnRun): RunFile[] {
  const config = readRunConfig(join(workspace, 'runs', run))
  const order = RunOrder.safeParse(job?.ordered).data
  const recipe = config.recipe ?? order?.recipe
  const taken: Record<string, unknown> = { ...order?.inputs, ...config }
  return Object.entries(taken).flatMap(([name, value]) => {
    const kind = typeof value === 'string' ? kindOf(recipe, name) : undefined
    const file = kind && within(workspace, value as string)
    return kind && file !== undefined ? [{ file, kind }] : []
  })
}

function kindOf(recipe: unknown, name: string): FileKind | undefined {
  if (recipe !== 'sft' && recipe !== 'ppo') return undefined
  const takes = takesOf(recipe, name)
  return takes === 'rules' || takes === 'texts' ? takes : undefined
}

function within(workspace: string, path: string): string | undefined {
  const file = path.startsWith(`${workspace}/`) ? path.slice(workspace.length + 1) : path
  return file.startsWith('/') || file.split('/').includes('..') ? undefined : file
}

function artifactOf(hash: string): string {
  return artifactPath('', hash)
}

async function countIn(path: string, { kind, isSent }: { kind: FileKind; isSent: boolean }): Promise<number> {
  if (kind === 'rules') return countTerms(path, isSent)
  try {
    return (await readTexts(path)).length
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    const words = error.message.replaceAll(`${path}: `, '').replaceAll(`${path}:`, 'line ')
    throw new HttpError(422, words, { cause: error })
  }
}

function countTerms(path: string, isSent: boolean): number {
  if (fs.statSync(path).size > MOST_BYTES.rules)
    throw new HttpError(422, `expected at most ${MOST_BYTES.rules} bytes of rules: give fewer terms`)
  const read = ruleTermsOf(fs.readFileSync(path, 'utf8'))
  if ('fault' in read) throw new HttpError(422, read.fault)
  const naming = isSent ? read.terms.find((term) => 'file' in term) : undefined
  if (naming)
    throw new HttpError(
      422,
      `${naming.name}: expected a term of kind regex or length, got ${naming.kind}: it names a file, which what is sent has none beside it; begin the run at the command line, by --rules`,
    )
  return read.terms.length
}
