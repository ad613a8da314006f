// Set-up without dependencies: packages, then (from the torch room on) libtorch and the addon. A second run costs nothing.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

if (!existsSync('node_modules/.bin/vitest')) {
  const done = spawnSync('npm', ['ci'], { stdio: 'inherit' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}
