// Where the program is loaded from: the bundle that set-up made (setup/command.mjs) while every source is as it was then,
// else the sources themselves by way of tsx. So what runs is always what stands in src/.
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const ROOT = resolve(import.meta.dirname, '..')
const FOLDER = join(ROOT, '.hone/command')

/** Imports a room's face, such as `cli`. */
export async function load(room) {
  const build = currentBuild()
  if (build) return import(pathToFileURL(join(build, `${room}.js`)).href)
  const { register } = await import('tsx/esm/api')
  register()
  return import(`../src/${room}/index.ts`)
}

/** The folder of a build of exactly these sources; undefined where there is none. */
export function currentBuild() {
  try {
    const { name, sources } = JSON.parse(readFileSync(join(FOLDER, 'current.json'), 'utf8'))
    return Object.entries(sources).every(([file, stamp]) => stampOf(join(ROOT, file)) === stamp)
      ? join(FOLDER, name)
      : undefined
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Changes whenever somebody writes the file. */
export function stampOf(file) {
  const { mtimeMs, size } = statSync(file)
  return `${mtimeMs} ${size}`
}
