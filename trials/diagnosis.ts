// npm run trials -- diagnosis [SEED ...] [--out FOLDER]: does `hone diagnose` name the stage at fault? On each seed (1 to 5
// unless given) four chains of SFT, reward model and PPO are run: a healthy one, and one with a fault planted in each
// stage (worlds/planted-faults.ts). The command sees the run folders and nothing else. Of 15 faults 13 must be named, and no
// healthy run accused; of fewer seeds the same share. Finished runs in --out are taken as they are.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { faultOf, plant, type Planted, STAGES } from './worlds/planted-faults.ts'

const SHARE = 13 / 15
const Answer = z.object({ stage: z.string(), sentence: z.string(), evidence: z.array(z.string()) })

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string', default: 'out/diagnosis' } },
})
const seeds = positionals.length > 0 ? positionals.map(Number) : [1, 2, 3, 4, 5]
if (!seeds.every((seed) => Number.isInteger(seed) && seed >= 0)) throw new Error(`expected seeds, got ${positionals}`)

let named = 0
let accused = 0
for (const seed of seeds)
  for (const planted of ['none', ...STAGES] satisfies Planted[]) {
    const before = cpuSeconds()
    const folder = await plant(planted, { seed, out: values.out })
    const { stage, sentence, evidence } = diagnose(folder)
    if (planted === 'none') accused += Number(stage !== 'none')
    else named += Number(stage === planted)
    const fault = planted === 'none' ? 'healthy' : `${planted}: ${faultOf(planted, seed).name}`
    console.log(
      `seed ${seed}  ${fault.padEnd(66)} named ${stage.padEnd(7)} ${stage === planted ? 'right' : 'WRONG'}  (${(cpuSeconds() - before).toFixed(0)} CPU s)`,
    )
    console.log(`        ${sentence}`)
    for (const line of stage === planted ? [] : evidence) console.log(`          ${line}`)
  }
const faults = STAGES.length * seeds.length
console.log(`\n${named} of ${faults} faults named by their stage, ${accused} of ${seeds.length} healthy runs accused`)
process.exit(named >= SHARE * faults && accused === 0 ? 0 : 1)

function diagnose(folder: string): z.infer<typeof Answer> {
  const done = spawnSync(process.execPath, ['scripts/hone.mjs', 'diagnose', folder, '--json'], { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`hone diagnose ${folder}: ${done.stderr}`)
  return Answer.parse(JSON.parse(done.stdout.trimEnd().split('\n').at(-1)!))
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
