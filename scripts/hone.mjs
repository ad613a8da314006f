#!/usr/bin/env node
// The `hone` command: registers tsx, then runs src/cli. Set-up makes what it needs (`npm run setup`).
import { register } from 'tsx/esm/api'

register()
const { main } = await import('../src/cli/index.ts')
await main(process.argv.slice(2))
