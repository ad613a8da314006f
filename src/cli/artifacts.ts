// hone artifacts: where the contents of a workspace lie, and the ways between its folder and a bucket.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import {
  bringArtifacts,
  bucketOf,
  checkArtifacts,
  type Moved,
  type OnMoved,
  moveToBucket,
  moveToFolder,
  probeBucket,
  sendArtifacts,
  unsentArtifacts,
} from '#bucket'
import { countOf, megabytes, moving } from './around.ts'
import { type Common, workspaceOf } from './data-source.ts'
import { output, type Output } from './output.ts'

const FOLDER = 'folder'
const SHOWN = 5

export function artifactsCommands(program: Command): void {
  const group = program
    .command('artifacts')
    .description('where rows, texts and results lie: in the workspace’s folder alone, or in an S3-compatible store too')
    .addHelpText(
      'after',
      `
The address of a bucket stands in hone.json. Keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, where they are
needed, AWS_SESSION_TOKEN, AWS_REGION and AWS_ENDPOINT_URL. Give each workspace a bucket or a prefix of its own.`,
    )
  const add = (name: string, help: string) =>
    group
      .command(name)
      .description(help)
      .option('--dir <folder>', 'workspace (default: the one around this folder)')
      .option('--json', 'events as JSON lines')
  add('where', 'where they are, whether it can be read and written, and what waits to be sent').action(where)
  add('move <to>', `to s3://BUCKET/PREFIX or https://HOST/BUCKET/PREFIX, or back: ${FOLDER}`).action(move)
  add('send', 'to the bucket, what it lacks').action((options: Common) =>
    say(options, 'sent', (workspace, onMoved) => sendArtifacts(workspace, { onMoved })),
  )
  add('bring', 'from the bucket, what the folder lacks').action((options: Common) =>
    say(options, 'got', (workspace, onMoved) => bringArtifacts(workspace, onMoved)),
  )
  add('check', 'folder and bucket against each other; exit code 1 when something is missing or damaged')
    .option('--read', 'read every object, not only its length')
    .option('--repair', 'what one of them has whole, the other gets')
    .action(check)
}

async function where(options: Common): Promise<void> {
  const out = output(options)
  const workspace = resolve(workspaceOf(options))
  const bucket = bucketOf(workspace)
  const waiting = unsentArtifacts(workspace)
  if (bucket) await probeBucket(bucket)
  out.event({ event: 'done', workspace, artifacts: bucket?.url ?? null, waiting })
  if (!bucket)
    return out.say(`in ${workspace}/artifacts alone; hone artifacts move s3://BUCKET/PREFIX puts them in a bucket`)
  out.say(`in ${bucket.url}, which can be read and written, and as a copy in ${workspace}/artifacts`)
  out.say(
    waiting.files === 0 ? 'none waits to be sent' : `${waiting.files}, ${megabytes(waiting.bytes)}, wait to be sent`,
  )
}

async function move(to: string, options: Common): Promise<void> {
  if (to === FOLDER) return say(options, 'got', moveToFolder)
  await say(options, 'sent', (workspace, onMoved) => moveToBucket(workspace, to, onMoved))
}

async function say(
  options: Common,
  done: string,
  run: (workspace: string, onMoved: OnMoved) => Promise<Moved>,
): Promise<void> {
  const out = output(options)
  const workspace = resolve(workspaceOf(options))
  const { files, bytes } = await run(workspace, (moved) => out.progress(moving(done, moved)))
  const artifacts = bucketOf(workspace)?.url ?? `${workspace}/artifacts`
  out.event({ event: 'done', workspace, artifacts, files, bytes })
  out.say(`${countOf(files)} ${done}, ${megabytes(bytes)}; all are in ${artifacts}`)
}

async function check(options: Common & { read?: boolean; repair?: boolean }): Promise<void> {
  const out = output(options)
  const workspace = resolve(workspaceOf(options))
  const onChecked = (done: Parameters<OnMoved>[0]): void => out.progress(moving('read', done))
  const found = await checkArtifacts(workspace, { ...options, onChecked })
  out.event({ event: 'done', workspace, ...found })
  out.say(`${found.inBoth} are in both, whole${options.read ? '' : ' (there by their length; --read reads them)'}`)
  list(out, 'are in the folder alone', found.onlyHere)
  list(out, 'are in the bucket alone', found.onlyThere)
  list(out, 'are damaged in the folder', found.damagedHere)
  list(out, 'are damaged in the bucket', found.damagedThere)
  const { onlyHere, onlyThere, damagedHere, damagedThere, repaired } = found
  const wrong = onlyHere.length + onlyThere.length + damagedHere.length + damagedThere.length
  if (options.repair) out.say(`${repaired} of ${wrong} repaired`)
  else if (wrong > 0) out.say('hone artifacts check --repair gives each what the other has whole')
  if (wrong > repaired) process.exitCode = 1
}

function list(out: Output, words: string, hashes: readonly string[]): void {
  if (hashes.length === 0) return
  const more = hashes.length > SHOWN ? ` and ${hashes.length - SHOWN} more` : ''
  out.say(`${hashes.length} ${words}: ${hashes.slice(0, SHOWN).join(', ')}${more}`)
}
