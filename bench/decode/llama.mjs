// llama.cpp's side of bench/decode.ts, prebuilt as node-llama-cpp has it: node bench/decode/llama.mjs WORK
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const work = JSON.parse(process.argv[2])
const from = createRequire(join(work.llama, 'package.json'))
const { getLlama } = await import(pathToFileURL(from.resolve('node-llama-cpp')).href)
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: work.threads })
const model = await llama.loadModel({ modelPath: work.gguf, gpuLayers: 0 })
const prompt = Array.from({ length: work.prompt }, (_, t) => 100 + 7 * t)

async function complete(most) {
  const context = await model.createContext({ contextSize: 512, sequences: 1, threads: work.threads })
  const sequence = context.getSequence()
  const start = performance.now()
  let tokens = 0
  for await (const _ of sequence.evaluate(prompt, { temperature: 1, topK: 0, topP: 1, seed: 1, yieldEogToken: true }))
    if (++tokens === most) break
  const seconds = (performance.now() - start) / 1000
  await context.dispose()
  if (tokens !== most) throw new Error(`expected ${most} tokens, got ${tokens}`)
  return seconds
}

await complete(4)
let seconds = Infinity
for (let i = 0; i < 3; i++) {
  const short = await complete(work.short)
  seconds = Math.min(seconds, ((await complete(work.long)) - short) / (work.long - work.short))
}
console.log(
  JSON.stringify({
    seconds,
    setting: 'BF16 GGUF, one sequence',
    version: `llama.cpp ${llama.llamaCppRelease.release}`,
  }),
)
process.exit(0)
