// Writes model folders with hone, and beside each what hone computes on it, for check_written.py to load with transformers.
// usage: npx tsx scripts/goldens/write-for-check.ts OUT   (OUT must not exist)
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createEmbeddedEngine } from '#lm'

const [out] = process.argv.slice(2)
if (!out) throw new Error('usage: npx tsx scripts/goldens/write-for-check.ts OUT')
const GOLDENS = join(import.meta.dirname, '../../src/lm/goldens')
const TOKENS = [5, 17, 3, 44, 8, 21, 30, 2, 11, 40, 19, 7]
const PASS = { temperature: 1, seed: 0 }

mkdirSync(out)
const engine = createEmbeddedEngine()
const sources = [
  'grouped-tied',
  'untied-llama3',
  'wide-heads',
  ...readdirSync(join(GOLDENS, 'families'))
    .filter((name) => !name.endsWith('.json'))
    .map((name) => `families/${name}`),
]
const ADAPTER = { rank: 3, alpha: 5, targets: ['all-linear'] }
for (const source of sources)
  for (const [kind, isReward, trains] of [
    ['', false, 'all'],
    ['-reward', true, 'all'],
    ['-adapter', false, ADAPTER],
    ['-adapter-reward', true, ADAPTER],
  ] as const) {
    const name = `${basename(source)}${kind}`
    const heads = isReward ? { scores: { names: ['helpful', 'brief'], read: 'last' as const } } : undefined
    const model = await engine.load({
      from: { weights: join(GOLDENS, source) },
      trains,
      ...(heads && { heads }),
      seed: 1,
    })
    const sequence = {
      tokens: Int32Array.from(TOKENS),
      isScored: Uint8Array.from(TOKENS, (_, t) => Number(t > 0)),
    }
    // One step away from the source, so that what is read back was written by hone.
    const coefficients = [[isReward ? { scores_PH: Float32Array.of(1, -1) } : { logprobs_S: new Float32Array(11).fill(1) }]]
    const want = isReward ? (['scores'] as const) : (['logprobs'] as const)
    await engine.forwardBackward(model, [[sequence]], [...want], { coefficients }, PASS)
    const group = { learningRate: 0.01, clipNorm: 1, betas: [0.9, 0.95] as [number, number], epsilon: 1e-8, weightDecay: 0 }
    await engine.step(model, { body: group, ...(isReward && { heads: group }) })
    const [[answer]] = (await engine.forward(model, [[sequence]], [...want], PASS)) as [[Record<string, Float32Array>]]
    await engine.save(model, 'weights', join(out, name))
    const numbers = isReward ? { scores: [...answer.scores_PH!] } : { logprobs: [...answer.logprobs_S!] }
    writeFileSync(join(out, `${name}.json`), JSON.stringify({ tokens: TOKENS, ...numbers }))
    await engine.release(model)
  }
console.log(`now: python scripts/goldens/check_written.py ${out}`)
