// hone's side of bench/decode.ts, in a process of its own: node --import tsx bench/decode/hone.ts WORK
import { type BaseDtype, createEmbeddedEngine } from '#lm'
import { describe, ones, scope, sum, weightCopy } from '#torch'

type Work = {
  model: string
  batch: number
  prompt: number
  short: number
  long: number
  threads: number
  baseDtype?: BaseDtype
}

const work = JSON.parse(process.argv[2]!) as Work
const { baseDtype } = work
const engine = createEmbeddedEngine({ threads: work.threads, precision: 'bfloat16', ...(baseDtype && { baseDtype }) })
const model = await engine.load({ from: { weights: work.model }, trains: 'nothing' })

async function complete(maxTokens: number): Promise<number> {
  const start = performance.now()
  const requests = Array.from({ length: work.batch }, (_, i) => ({
    id: String(i),
    tokens: Int32Array.from({ length: work.prompt }, (__, t) => 100 + i + 7 * t),
    n: 1,
    temperature: 1,
    maxTokens,
    stopTokens: [],
    seed: i,
  }))
  let tokens = 0
  for await (const event of engine.sample(model, requests)) tokens += event.tokens.length
  if (tokens !== work.batch * maxTokens) throw new Error(`expected ${work.batch * maxTokens} tokens, got ${tokens}`)
  return (performance.now() - start) / 1000
}

/** Bytes a second of summing 512 MiB, in small pages of memory and in large ones. */
function readSpeed(): number {
  const count = 128 << 20
  return scope(() => {
    const small = ones([count])
    const speeds = [small, weightCopy(small, 'float32')].flatMap((x) =>
      Array.from({ length: 6 }, () => {
        const start = performance.now()
        sum(x).free()
        return (4 * count * 1000) / (performance.now() - start)
      }),
    )
    return Math.max(...speeds)
  })
}

await complete(4)
let seconds = Infinity
for (let i = 0; i < 3; i++) {
  const short = await complete(work.short)
  seconds = Math.min(seconds, ((await complete(work.long)) - short) / (work.long - work.short))
}
await engine.release(model)
console.log(
  JSON.stringify({
    seconds,
    setting: 'one stream of samples',
    version: `libtorch ${describe().version}`,
    readBytesPerSecond: readSpeed(),
  }),
)
