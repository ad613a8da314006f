// Saving and loading a checkpoint of SmolLM2-135M's shape, all weights with their moments (1.6 GB), beside writing the same
// bytes to files of the same sizes with an fsync each, and reading them: the floor, by turns in the same run.
// npm run bench -- checkpoint [--rounds 3]
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Saved } from '#engine'
import { createEmbeddedEngine } from '#lm'
import { bestSeconds, makeSequences, trainStep } from './worlds/rows.ts'
import { makeSmollm2, SMOLLM2 } from './worlds/smollm2-shape.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, in: { type: 'string' } } })
const folder = fs.mkdtempSync(join(values.in ?? tmpdir(), 'hone-checkpoint-'))
const PIECE = 8 << 20

/** Files of these sizes, written piece by piece and fsynced. */
function writeFloor(to: string, sizes: number[], piece: Buffer): void {
  fs.mkdirSync(to)
  sizes.forEach((size, i) => {
    const file = fs.openSync(join(to, String(i)), 'w')
    for (let at = 0; at < size; at += PIECE) fs.writeSync(file, piece, 0, Math.min(PIECE, size - at))
    fs.fsyncSync(file)
    fs.closeSync(file)
  })
}

function readFloor(from: string, sizes: number[], piece: Buffer): void {
  sizes.forEach((_, i) => {
    const file = fs.openSync(join(from, String(i)), 'r')
    while (fs.readSync(file, piece, 0, PIECE, null) > 0);
    fs.closeSync(file)
  })
}

try {
  const engine = createEmbeddedEngine()
  const { folder: weights } = makeSmollm2(join(folder, 'model'))
  const model = await engine.load({ from: { weights }, trains: 'all' })
  await trainStep(engine, model, makeSequences(1, { length: 8, scored: 4, vocabulary: SMOLLM2.vocabSize }))
  const piece = Buffer.alloc(PIECE, 7)
  const best = { save: Infinity, write: Infinity, load: Infinity, read: Infinity }
  let bytes = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    const to = join(folder, `saved-${round}`)
    let saved: Saved | undefined
    best.save = Math.min(best.save, await bestSeconds(1, async () => (saved = await engine.save(model, 'resume', to))))
    const sizes = saved!.files.map(({ path }) => fs.statSync(join(to, path)).size)
    bytes = sizes.reduce((a, b) => a + b, 0)
    const floor = join(folder, `floor-${round}`)
    best.write = Math.min(best.write, await bestSeconds(1, () => writeFloor(floor, sizes, piece)))
    best.read = Math.min(best.read, await bestSeconds(1, () => readFloor(floor, sizes, piece)))
    let loaded: Awaited<ReturnType<typeof engine.load>> | undefined
    const load = async () => (loaded = await engine.load({ from: { resume: saved! }, trains: 'all' }))
    best.load = Math.min(best.load, await bestSeconds(1, load))
    await engine.release(loaded!)
    fs.rmSync(to, { recursive: true })
    fs.rmSync(floor, { recursive: true })
  }
  const line = (what: string, seconds: number, floor: number, floorName: string): void =>
    console.log(
      `${what.padEnd(5)} ${seconds.toFixed(2)} s, ${(bytes / seconds / 1e6).toFixed(0)} MB/s; ${floorName} ${floor.toFixed(2)} s: ${(seconds / floor).toFixed(2)} times`,
    )
  console.log(`${(bytes / 1e6).toFixed(0)} MB in ${folder}`)
  line('save', best.save, best.write, 'write and fsync of the same bytes')
  line('load', best.load, best.write, 'write and fsync of the same bytes')
  console.log(`reading the same bytes, still in the system's cache: ${best.read.toFixed(2)} s`)
  await engine.release(model)
} finally {
  fs.rmSync(folder, { recursive: true, force: true })
}
