#!/usr/bin/env node
// The `hone` command: loads src/cli and runs it. Set-up makes what it needs (`npm run setup`).
import { load } from './built.mjs'

const { main } = await load('cli')
await main(process.argv.slice(2))
