// What `npm test` runs after set-up: each check in turn, its time, and the first failure's exit code.
import { spawnSync } from 'node:child_process'

const CHECKS = [
  ['lint', ['oxlint', '--type-aware']],
  ['format', ['biome', 'format', '.']],
  ['types', ['tsc']],
  ['tests', ['vitest', 'run']],
]

for (const [name, [command, ...args]] of CHECKS) {
  const start = performance.now()
  const done = spawnSync(`node_modules/.bin/${command}`, args, { stdio: 'inherit' })
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`${done.status === 0 ? 'ok    ' : 'FAILED'} ${name} (${seconds} s)`)
  if (done.status !== 0) process.exit(done.status ?? 1)
}
