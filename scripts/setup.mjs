// Set-up without dependencies: npm packages, the web pages, the command in one piece, libtorch, and the addon compiled for
// this machine. One line a step with its time; a second run only compares stamps. `--quiet` prints only what it has to do.
// HONE_LIBTORCH names a libtorch folder (with include/ and lib/, such as Python's site-packages/torch); otherwise the first
// found of Python's torch and the system's is used, else the system's is installed where that is allowed, else PyPI's wheel
// goes into .hone/libtorch.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, hasAddon } from './setup/addon.mjs'
import { buildCommand, hasCommand } from './setup/command.mjs'
import { COMPILER, findLibtorch, hasCompiler, installMissing, WHAT_TO_DO } from './setup/libtorch.mjs'
import { withLock } from './setup/lock.mjs'
import { run, SetupError } from './setup/run.mjs'
import { buildWeb, hasPostgresLinks, hasWeb, linkPostgres } from './setup/web.mjs'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const HONE = join(ROOT, '.hone')
const isQuiet = process.argv.includes('--quiet')

process.chdir(ROOT)
try {
  const started = performance.now()
  mkdirSync(join(HONE, 'addon'), { recursive: true })
  if (!isReady()) await withLock(join(HONE, 'setup.lock'), setUp)
  else if (!isQuiet) say('ready', 'nothing to do', started)
} catch (error) {
  if (!(error instanceof SetupError)) throw error
  console.error(`setup: ${error.message}`)
  process.exit(1)
}

async function setUp() {
  if (!hasPackages())
    await step('packages', () => run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], 'npm ci failed'))
  if (!hasPostgresLinks()) await step('postgres', linkPostgres)
  if (!hasWeb()) await step('web', buildWeb)
  if (!hasCommand()) await step('command', buildCommand)
  if (hasAddon()) return
  if (!findLibtorch(HONE) || !hasCompiler()) await step('install', () => installMissing(HONE))
  const library = findLibtorch(HONE)
  if (!library) throw new SetupError(`no libtorch was found: ${WHAT_TO_DO}`)
  if (!hasCompiler()) throw new SetupError(`no C++ compiler (${COMPILER}) was found: ${WHAT_TO_DO}`)
  await step('libtorch', () => `${library.version} (${library.source}) in ${library.folder}`)
  await step('addon', () => compile(library))
}

function isReady() {
  return hasPackages() && hasPostgresLinks() && hasWeb() && hasCommand() && hasAddon()
}

/** Compares the lock file with npm's own record of what it installed. */
function hasPackages() {
  const record = join(ROOT, 'node_modules/.package-lock.json')
  if (!existsSync(record)) return false
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages
  return Object.entries(wanted).every(
    ([path, p]) => path === '' || (p.optional && !installed[path]) || installed[path]?.version === p.version,
  )
}

async function step(name, task) {
  const started = performance.now()
  const detail = await task()
  say(name, detail ?? '', started)
}

function say(name, detail, started) {
  console.log(
    `setup  ${name.padEnd(9)} ${((performance.now() - started) / 1000).toFixed(1).padStart(6)} s  ${detail}`.trimEnd(),
  )
}
