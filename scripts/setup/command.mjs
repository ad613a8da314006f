// The `hone` command in one piece: src/ bundled by vite into .hone/command/<hash>, with a record of what it was built from.
// Starting by way of tsx resolves and loads hundreds of files one by one, which takes longer than most commands.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { currentBuild, stampOf } from '../built.mjs'
import { SetupError } from './run.mjs'

const ROOT = resolve(import.meta.dirname, '../..')
const FOLDER = join(ROOT, '.hone/command')
/** Rooms that are loaded by name. */
const ROOMS = ['cli', 'lineage', 'feedback', 'data', 'evaluate']
/** A server that runs may still load parts of an older build. */
const KEPT_MS = 7 * 24 * 3_600_000

export const hasCommand = () => currentBuild() !== undefined

export async function buildCommand() {
  const { build } = await import('vite')
  mkdirSync(FOLDER, { recursive: true })
  const work = join(FOLDER, `new.${process.pid}`)
  const sources = new Map([[relative(ROOT, import.meta.filename), stampOf(import.meta.filename)]])
  const output = { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' }
  const input = Object.fromEntries(ROOMS.map((room) => [room, join(ROOT, `src/${room}/index.ts`)]))
  try {
    await build({
      root: ROOT,
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      plugins: [noteSources(sources), keepPlaces()],
      build: { ssr: true, target: 'node20', minify: false, outDir: work, rolldownOptions: { input, output } },
    })
  } catch (cause) {
    rmSync(work, { recursive: true, force: true })
    throw new SetupError(`the command does not build\n${cause.message}`)
  }
  const record = JSON.stringify(Object.fromEntries(sources))
  const name = createHash('sha256').update(record).digest('hex').slice(0, 16)
  rmSync(join(FOLDER, name), { recursive: true, force: true })
  renameSync(work, join(FOLDER, name))
  writeFileSync(`${work}.json`, `{"name":"${name}","sources":${record}}`)
  renameSync(`${work}.json`, join(FOLDER, 'current.json'))
  for (const old of readdirSync(FOLDER))
    if (statSync(join(FOLDER, old)).mtimeMs < Date.now() - KEPT_MS) rmSync(join(FOLDER, old), { recursive: true })
}

const isOurs = (id) => id.startsWith(join(ROOT, 'src/')) || id.startsWith(join(ROOT, 'domains/'))

/** Stamped before it is read: what is written meanwhile makes the build old at once. */
function noteSources(sources) {
  return {
    name: 'note-sources',
    enforce: 'pre',
    load(id) {
      if (isOurs(id)) sources.set(relative(ROOT, id), stampOf(id))
    },
  }
}

/** In the bundle a file still finds what lies beside it in src/: migrations, pages, a worker's script. */
function keepPlaces() {
  return {
    name: 'keep-places',
    enforce: 'pre',
    transform(code, id) {
      if (!isOurs(id) || !code.includes('import.meta.')) return
      const place = (file) => `new URL(${JSON.stringify(`../../../${relative(ROOT, file)}`)}, import.meta.url)`
      const placed = code
        .replaceAll('import.meta.url', `${place(id)}.href`)
        .replaceAll('import.meta.dirname', `pathOf(${place(dirname(id))})`)
      return `import { fileURLToPath as pathOf } from 'node:url'\n${placed}`
    },
  }
}
