// What --dry-run predicts against what then happens, in processes of their own: parameters, peak memory, tokens/s, seconds
// of each recipe on rows whose lengths spread as real ones do. Goal: within 20%. Times say little on a busy machine.
// npm run trials -- dry-run [model base] [steps 300] [recipes sft,sft-lora,reward,dpo,ppo,ppo-policy] [...flags of every run]
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generator } from '#stats'

type Figures = { peakMemoryBytes: number; tokensPerSecond: number; seconds: number }
type Done = Figures & {
  event: string
  steps: number
  parameters?: { trained: number; all: number }
  probe?: { seconds: number }
}

const [model = 'base', steps = '300', chosen = 'all', ...shared] = process.argv.slice(2)
const root = fs.mkdtempSync(join(tmpdir(), 'hone-dry-run-'))
const file = (name: string) => join(root, name)
const LORA = ['--lora-rank', '8']
const GOAL = 0.2

const random = generator(1)
const WORDS = 'the order parcel refund was sent on monday and we will call you back about your invoice soon'.split(' ')
/** Log-normal lengths, a factor of two each way. */
const words = (mean: number) =>
  Array.from({ length: Math.max(1, Math.round(mean * Math.exp(0.7 * random.normal()))) }, () =>
    random.pick(WORDS),
  ).join(' ')
const rows = Array.from({ length: 400 }, () => ({ prompt: `${words(20)}? `, chosen: words(30), rejected: words(30) }))

function write(name: string, content: object[]): void {
  fs.writeFileSync(file(name), content.map((row) => `${JSON.stringify(row)}\n`).join(''))
}

/** The last event of `hone train`, which must end well. */
function hone(options: string[]): Done {
  const script = join(import.meta.dirname, '../scripts/hone.mjs')
  const env = { ...process.env, HONE_CACHE: file('cache') }
  const { stdout, stderr, status } = spawnSync(process.execPath, [script, 'train', ...options, '--json'], {
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  })
  if (status !== 0) throw new Error(`hone train ${options.join(' ')}: ${stderr}`)
  return JSON.parse(stdout.trimEnd().split('\n').at(-1)!) as Done
}

write(
  'demos.jsonl',
  rows.map(({ prompt, chosen: completion }) => ({ prompt, completion })),
)
write(
  'held-out.jsonl',
  rows.slice(0, 100).map(({ prompt, chosen: completion }) => ({ prompt, completion })),
)
write('pairs.jsonl', rows)
write(
  'prompts.jsonl',
  rows.map(({ prompt }) => ({ prompt })),
)
fs.writeFileSync(
  file('rules.json'),
  JSON.stringify([{ name: 'length', weight: 1, kind: 'length', least: 20, most: 80 }]),
)

const common = ['--model', model, ...shared]
const demos = ['--data', file('demos.jsonl'), '--held-out', file('held-out.jsonl'), '--steps', steps]
const pairs = ['--data', file('pairs.jsonl'), '--steps', steps]
const ppo = ['--data', file('prompts.jsonl'), '--rules', file('rules.json'), '--kl-budget', 'off']
const rounds = ['--steps', String(Math.max(3, Math.round(Number(steps) / 20)))]
const recipes: Record<string, string[]> = {
  sft: ['sft', ...demos],
  'sft-lora': ['sft', ...demos, ...LORA],
  reward: ['reward', ...pairs],
  dpo: ['dpo', ...pairs],
  ppo: ['ppo', ...ppo, ...rounds],
  'ppo-policy': ['ppo', ...ppo, ...rounds, ...LORA, '--critic-from', 'policy'],
}

try {
  console.log('recipe      trained of all             probe   seconds           tokens/s          peak MiB')
  let missed = 0
  for (const name of chosen === 'all' ? Object.keys(recipes) : chosen.split(',')) {
    const options = [...recipes[name]!, ...common]
    const planned = hone([...options, '--dry-run'])
    const real = hone([...options, '--out', file(name)])
    const pair = (of: (f: Figures) => number, digits: number) => {
      const ratio = of(planned) / of(real)
      if (Math.abs(ratio - 1) > GOAL) missed++
      return `${of(planned).toFixed(digits)}/${of(real).toFixed(digits)} ${ratio.toFixed(2)}`.padEnd(17)
    }
    const { trained, all } = planned.parameters!
    console.log(
      [
        name.padEnd(11),
        `${trained} of ${all}`.padEnd(26),
        `${planned.probe!.seconds.toFixed(1)} s`.padEnd(7),
        pair((f) => f.seconds, 1),
        pair((f) => f.tokensPerSecond, 0),
        pair((f) => f.peakMemoryBytes / 2 ** 20, 0),
        real.steps === planned.steps ? '' : `${planned.steps} steps planned, ${real.steps} done`,
      ].join(' '),
    )
  }
  console.log(missed === 0 ? `all within ${100 * GOAL}%` : `${missed} figures are off by more than ${100 * GOAL}%`)
} finally {
  fs.rmSync(root, { recursive: true, force: true })
}
