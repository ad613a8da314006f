// node scripts/pick.mjs FOLDER NAME [options]: runs FOLDER/NAME.ts; without a name it lists what there is.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'

const [folder, name, ...options] = process.argv.slice(2)
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.slice(0, -3))
if (!names.includes(name)) {
  console.log(`expected one of: ${names.join(', ')}${name === undefined ? '' : `; got ${name}`}`)
  process.exit(name === undefined ? 0 : 2)
}
const done = spawnSync(process.execPath, ['--import', 'tsx', `${folder}/${name}.ts`, ...options], { stdio: 'inherit' })
process.exit(done.status ?? 1)
