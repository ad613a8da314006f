// A trainer in a process of its own, to be killed: node --import tsx trainer-child.ts WORKSPACE. SIGINT ends it in order.
import { join } from 'node:path'
import { openStore } from '#store'
import { supervise } from '#trainer'

const [workspace] = process.argv.slice(2) as [string]
const store = await openStore({ workspace })
const trainer = supervise({
  store,
  workspace,
  hone: [process.execPath, join(import.meta.dirname, '../../scripts/hone.mjs')],
  leaseSeconds: 3,
  onDefect: (error) => process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`),
})
process.once('SIGINT', () => void trainer.close().then(() => store.close()))
