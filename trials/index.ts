// npm run trials -- NAME [options]: runs one of the files beside this one; without a name it lists them.
import { readdirSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const names = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.ts') && file !== 'index.ts')
  .map((file) => file.slice(0, -3))
const [name, ...options] = process.argv.slice(2)
if (name === undefined || !names.includes(name)) {
  console.log(`expected one of: ${names.join(', ')}${name === undefined ? '' : `; got ${name}`}`)
  process.exit(name === undefined ? 0 : 2)
}
const done = spawnSync(process.execPath, ['--import', 'tsx', join(import.meta.dirname, `${name}.ts`), ...options], {
  stdio: 'inherit',
})
process.exit(done.status ?? 1)
