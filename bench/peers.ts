// Training and sampling tokens a second of hone beside PyTorch with transformers: one run, the same model folder, rows,
// thread count and float32, each in a process of its own, by turns. Where a machine is shared the CPU clock is what counts.
// npm run bench -- peers --python PATH [--threads 1] [--seconds 6] [--rounds 2]
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Answer, flopsPerToken, makeModel, makeWork, type ShapeName, SHAPES } from './peers/work.ts'

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    threads: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '2' },
  },
})
const { python } = values

/** The better of the rounds: what else the machine did can only have slowed it down. */
function better(a: Answer | undefined, b: Answer): Answer {
  return a && a.perCpuSecond > b.perCpuSecond ? a : b
}

function ask(command: string, args: string[]): Answer {
  const env = { ...process.env, HONE_THREADS: values.threads, OMP_NUM_THREADS: values.threads }
  const out = execFileSync(command, args, { encoding: 'utf8', env, stdio: ['ignore', 'pipe', 'inherit'] })
  return JSON.parse(out.trim().split('\n').at(-1)!) as Answer
}

function line(who: string, shape: ShapeName, what: 'train' | 'sample', a: Answer): string {
  const share = (100 * a.perCpuSecond * flopsPerToken(shape, what)) / a.matmulPerCpuSecond
  const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
  return [
    `${shape} ${what}`.padEnd(15),
    who.padEnd(6),
    `${Math.round(a.perSecond)} tokens/s`.padEnd(16),
    `${Math.round(a.perCpuSecond)} a CPU second`.padEnd(20),
    `${share.toFixed(0)}% of ${(a.matmulPerCpuSecond / 1e9).toFixed(0)} GFLOP/s`.padEnd(20),
    `peak ${mebibytes(a.peakMemoryBytes)} MiB, ${mebibytes(a.peakMemoryBytes - a.startMemoryBytes)} of it at work`.padEnd(
      36,
    ),
    `${a.setting}; ${a.version}`,
  ].join('  ')
}

function race(shape: ShapeName, what: 'train' | 'sample', work: string): void {
  let own: Answer | undefined
  let peer: Answer | undefined
  for (let round = 0; round < Number(values.rounds); round++) {
    own = better(
      own,
      ask(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'peers/hone.ts'), what, work]),
    )
    if (python !== undefined) peer = better(peer, ask(python, [join(import.meta.dirname, 'peers/peer.py'), what, work]))
  }
  console.log(line('hone', shape, what, own!))
  if (!peer) return
  console.log(line('peer', shape, what, peer))
  const gap = Math.abs((own!.firstLoss ?? 0) - (peer.firstLoss ?? 0))
  if (!(gap < 1e-3)) throw new Error(`the two sides do different work: first losses are ${gap} apart`)
  const [wall, cpu] = [own!.perSecond / peer.perSecond, own!.perCpuSecond / peer.perCpuSecond]
  console.log(
    `${shape} ${what}`.padEnd(15),
    `hone / peer: ${wall.toFixed(2)} by the wall clock, ${cpu.toFixed(2)} by the CPU clock`,
  )
}

if (python === undefined)
  console.log('peers skipped: name a Python that has torch and transformers by --python PATH; hone alone follows')
else if (!existsSync(python))
  throw new Error(`--python: expected a Python interpreter, got ${python}, which is not there`)
console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${values.threads} threads, float32`)
const folder = mkdtempSync(join(tmpdir(), 'hone-peers-'))
try {
  for (const shape of Object.keys(SHAPES) as ShapeName[]) {
    const model = join(folder, shape.replaceAll(' ', '-'))
    makeModel(shape, model)
    const work = `${model}.json`
    const { threads, seconds } = values
    writeFileSync(work, JSON.stringify(makeWork({ model, threads: Number(threads), seconds: Number(seconds) })))
    race(shape, 'train', work)
    race(shape, 'sample', work)
  }
} finally {
  rmSync(folder, { recursive: true })
}
