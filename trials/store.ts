// What was acknowledged is kept: kills of server and database, simulated power cuts, second openers, full and broken disks,
// backups under load, migrations killed at each statement, claimers at once, stale tabs.
// npm run trials -- store [--parts kills,cuts,openers,disks,backups,migrations,claims,tabs] [--scale 1] [--seed 1]
// --database URL: an outside Postgres for the parts `backups` and `claims`, an empty database each time.
import { parseArgs } from 'node:util'
import { backups } from './durability/backups.ts'
import { claims, tabs } from './durability/claims.ts'
import { cuts } from './durability/cuts.ts'
import { disks } from './durability/disks.ts'
import { kills } from './durability/kills.ts'
import { migrations } from './durability/migrations.ts'
import { openers } from './durability/openers.ts'
import type { Outcome } from './durability/outcome.ts'

const { values } = parseArgs({
  options: {
    parts: { type: 'string' },
    scale: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    database: { type: 'string' },
  },
})
const scaled = (n: number): number => Math.max(1, Math.round(n * Number(values.scale)))
const seed = Number(values.seed)
const databaseUrl = values.database
const PARTS: Record<string, () => Promise<Outcome>> = {
  kills: () => kills({ submits: 4 * scaled(250), clients: 16, kills: 5 }),
  cuts: () => cuts({ cuts: scaled(100), seed }),
  openers: () => openers({ rounds: scaled(3) }),
  disks: () => disks({ writes: scaled(200) }),
  backups: () => backups({ rounds: scaled(5), databaseUrl }),
  migrations: () => migrations(),
  claims: () => claims({ claimers: 16, items: scaled(1000), overlap: 3, databaseUrl }),
  tabs: () => tabs({ races: scaled(100) }),
}
const names = values.parts?.split(',') ?? Object.keys(PARTS)
const unknown = names.find((name) => !(name in PARTS))
if (unknown !== undefined) throw new Error(`expected parts among ${Object.keys(PARTS).join(', ')}, got ${unknown}`)
for (const name of names) {
  const began = performance.now()
  const { figures, failures } = await PARTS[name]!()
  console.log(`${name} (${((performance.now() - began) / 1000).toFixed(0)} s)`)
  for (const figure of figures) console.log(`  ${figure}`)
  for (const failure of failures) console.log(`  FAILED ${failure}`)
  if (failures.length > 0) process.exitCode = 1
}
