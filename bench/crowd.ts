// A million labels aggregated by Dawid and Skene's model, hone beside Crowd-Kit: the same file, the same number of rounds, no
// prior, each in a process of its own, by turns. Timed is from rows in memory to posteriors; the memory is that of the process.
// npm run bench -- crowd --python PATH [--labels 1000000] [--classes 4] [--annotators 2000] [--overlap 5] [--em 20] [--rounds 3]
// PATH: a Python that has crowd-kit. Ends with 1 if the two do not mean the same.
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { generator } from '#stats'

type Answer = { seconds: number; cpuSeconds: number; peakMemoryBytes: number; version: string; posteriors: string }

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    labels: { type: 'string', default: '1000000' },
    classes: { type: 'string', default: '4' },
    annotators: { type: 'string', default: '2000' },
    overlap: { type: 'string', default: '5' },
    em: { type: 'string', default: '20' },
    rounds: { type: 'string', default: '3' },
  },
})
if (!values.python) throw new Error('expected --python PATH of a Python that has crowd-kit')
const [labels, classes, annotators, overlap, em, rounds] = (
  ['labels', 'classes', 'annotators', 'overlap', 'em', 'rounds'] as const
).map((name) => Number(values[name])) as [number, number, number, number, number, number]

/** Lines `item,annotator,class`: skills from 0.4 to 0.95, a mistake being any other class. */
function writeLabels(file: string): void {
  const random = generator(11)
  const skills = Array.from({ length: annotators }, () => 0.4 + 0.55 * random.uniform())
  const lines: string[] = []
  for (let item = 0; lines.length < labels; item++) {
    const truth = random.int(classes)
    const who = new Set<number>()
    while (who.size < overlap) who.add(random.int(annotators))
    for (const annotator of who) {
      const said = random.uniform() < skills[annotator]! ? truth : (truth + 1 + random.int(classes - 1)) % classes
      lines.push(`i${item},a${annotator},c${said}`)
    }
  }
  fs.writeFileSync(file, `${lines.join('\n')}\n`)
}

const folder = fs.mkdtempSync(join(tmpdir(), 'hone-crowd-'))
const file = join(folder, 'labels.csv')
const beside = (script: string): string => join(import.meta.dirname, 'peers', script)

function ask(command: string, args: string[], out: string): Answer {
  const env = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' }
  const said = execFileSync(command, [...args, file, String(em), out], { encoding: 'utf8', env })
  return { ...(JSON.parse(said.trim().split('\n').at(-1)!) as Omit<Answer, 'posteriors'>), posteriors: out }
}

const better = (a: Answer | undefined, b: Answer): Answer => (a && a.seconds < b.seconds ? a : b)

try {
  writeLabels(file)
  let own: Answer | undefined
  let peer: Answer | undefined
  for (let round = 0; round < rounds; round++) {
    own = better(own, ask(process.execPath, ['--import', 'tsx', beside('crowd.ts')], join(folder, 'hone.bin')))
    peer = better(peer, ask(values.python, [beside('crowd.py')], join(folder, 'crowd-kit.bin')))
  }
  const [mine, theirs] = [own!, peer!].map(({ posteriors }) => {
    const bytes = fs.readFileSync(posteriors)
    return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8)
  }) as [Float64Array, Float64Array]
  let [apart, away] = [0, 0]
  for (let at = 0; at < mine.length; at++) {
    const distance = Math.abs(mine[at]! - theirs[at]!)
    apart = Math.max(apart, distance)
    away += Number(distance > 0.005)
  }
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}; ${labels} labels, ${annotators} annotators, ${classes} classes, ${em} rounds`,
  )
  for (const [who, a] of [
    ['hone', own!],
    ['Crowd-Kit', peer!],
  ] as const)
    console.log(
      `${who.padEnd(10)} ${a.seconds.toFixed(2)} s, ${a.cpuSeconds.toFixed(2)} CPU s, peak ${(a.peakMemoryBytes / 1e6).toFixed(0)} MB; ${a.version}`,
    )
  console.log(
    `hone is ${(peer!.seconds / own!.seconds).toFixed(1)} times as fast, with ${(own!.peakMemoryBytes / peer!.peakMemoryBytes).toFixed(2)} of the memory; furthest apart ${apart.toExponential(1)}, ${away} of ${mine.length} by more than 0.005`,
  )
  process.exitCode = mine.length === theirs.length && away < 0.001 * mine.length ? 0 : 1
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
