// hone demo: the workspace of a quickstart with simulated people in it, served, so that every screen has something to show.
// The quickstart's time is spent once; the same command opens it again.
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { createLink, type Store } from '#store'
import { fillDemo } from './demo-fill.ts'
import { output } from './output.ts'
import { serveWorkspace } from './serve.ts'
import { Stopped } from './stop.ts'

const HONE = fileURLToPath(new URL('../../scripts/hone.mjs', import.meta.url))
/** Its presence says that everybody in the workspace but its visitors is simulated. */
const MARK = 'demo.json'

type Options = { dir: string; port: string; seed: string; scale: string; device: string; json?: boolean }

export function demoCommand(program: Command): void {
  program
    .command('demo')
    .description(
      'everything to look at in the browser: a quickstart with simulated people, said to be so on every screen',
    )
    .option('--dir <folder>', 'workspace to make, or to open again', 'out/demo')
    .option('--port <n>', 'to listen on; 0 takes a free one', '4600')
    .option('--seed <number>', 'of the quickstart', '1')
    .option(
      '--scale <fraction>',
      'of the quickstart: at 0.05 half a minute instead of some, and its figures prove nothing',
      '1',
    )
    .option('--device <device>', 'where models answer: cpu, or cuda:0', 'cpu')
    .option('--json', 'events as JSON lines')
    .action(demo)
}

async function demo(options: Options): Promise<void> {
  const out = output(options)
  const dir = resolve(options.dir)
  if (fs.existsSync(join(dir, 'hone.json')) && !fs.existsSync(join(dir, 'quickstart.json')))
    throw new ConfigError(`--dir: expected a new folder or one that hone demo made, got the workspace ${dir}`)
  if (!fs.existsSync(join(dir, 'release.json')) || !fs.existsSync(join(dir, 'report.json'))) {
    out.say('the quickstart fills the demonstration, once; stopped, the same command goes on')
    await quickstart(dir, options)
  }
  await serveWorkspace(
    {
      dir,
      host: '127.0.0.1',
      port: options.port,
      device: options.device,
      trainers: '1',
      ...(options.json && { json: true }),
    },
    (store) => prepare(store, dir),
  )
}

/** Its progress goes to standard error. */
async function quickstart(dir: string, { seed, scale }: Options): Promise<void> {
  const child = spawn(process.execPath, [HONE, 'quickstart', '--dir', dir, '--seed', seed, '--scale', scale], {
    stdio: ['ignore', 2, 'inherit'],
  })
  // Ctrl-C reaches both: the quickstart saves, and this waits for it.
  const wait = (): void => {}
  process.on('SIGINT', wait)
  try {
    const code = await new Promise<number | null>((done, fail) => {
      child.once('error', fail)
      child.once('exit', done)
    })
    if (code === 130) throw new Stopped('stopped; the same command goes on from here')
    if (code !== 0) throw new ConfigError(`the quickstart ended with exit code ${code}; it says above why`)
  } finally {
    process.off('SIGINT', wait)
  }
}

/** Fills the database where it is empty; a link to come in by, until somebody has. */
async function prepare(store: Store, dir: string): Promise<{ link: string } | undefined> {
  const mark = join(dir, MARK)
  const [anybody] = await store.query('select 1 from users limit 1')
  if (!anybody) await fillDemo(store, dir)
  if (!fs.existsSync(mark)) writeDurable(mark, '{"simulated": true}\n')
  const [visitor] = await store.query('select 1 from users where disabled_at is null limit 1')
  if (visitor) return undefined
  const [found] = await store.query<{ project: string; by: string }>(
    `select project_id as project, user_id as by from members where role = 'lead' limit 1`,
  )
  const token = await createLink(store.query, { kind: 'invitation', project: found!.project, role: 'owner' }, found!.by)
  return { link: `/join#${token}` }
}
