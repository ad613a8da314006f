// What `hone` loads: the build of exactly these sources, else the sources. In a copy of the scripts beside links to the rest.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')
const folder = fs.mkdtempSync(join(tmpdir(), 'hone-built-'))
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }))

fs.cpSync(join(ROOT, 'scripts'), join(folder, 'scripts'), { recursive: true })
for (const name of ['src', 'domains', 'node_modules', 'package.json'])
  fs.symlinkSync(join(ROOT, name), join(folder, name))

const build = join(folder, '.hone/command')
const help = () =>
  execFileSync(process.execPath, [join(folder, 'scripts/hone.mjs'), 'init', '--help'], { encoding: 'utf8' })
const source = join(folder, 'source.ts')

test('without a build the sources run; a build runs while its sources are unchanged and there, and no longer', () => {
  expect(help()).toMatch(/^Usage: hone init/)

  fs.writeFileSync(source, 'one')
  fs.mkdirSync(join(build, 'of-one'), { recursive: true })
  fs.writeFileSync(join(build, 'package.json'), '{"type":"module"}')
  fs.writeFileSync(join(build, 'of-one/cli.js'), "export const main = (args) => console.log('built', ...args)")
  const { mtimeMs, size } = fs.statSync(source)
  const record = { name: 'of-one', sources: { 'source.ts': `${mtimeMs} ${size}` } }
  fs.writeFileSync(join(build, 'current.json'), JSON.stringify(record))
  expect(help()).toBe('built init --help\n')

  fs.writeFileSync(source, 'other')
  expect(help()).toMatch(/^Usage: hone init/)
  fs.rmSync(source)
  expect(help()).toMatch(/^Usage: hone init/)
})
