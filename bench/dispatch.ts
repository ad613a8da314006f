// What one op costs from TypeScript: an 8x8 add inside scopes of 500 calls, and its parts. CPU time of this process (one
// thread), best of 7, so that a busy machine disturbs it less. One JSON line a row, then a table.
// npm run bench -- dispatch
import { add, liveTensors, noGrad, ones, scope, setThreads } from '#torch'
import { addon } from '../src/torch/addon.ts'

const CALLS = 100_000

function nanoseconds(call: () => void): number {
  let best = Infinity
  for (let repeat = 0; repeat < 7; repeat++) {
    const start = process.cpuUsage()
    for (let i = 0; i < CALLS / 500; i++)
      scope(() => {
        for (let j = 0; j < 500; j++) call()
      })
    const used = process.cpuUsage(start)
    best = Math.min(best, ((used.user + used.system) * 1000) / CALLS)
  }
  return best
}

setThreads(1)
const a = ones([8, 8])
const b = ones([8, 8])
const rows: Record<string, number> = {}
noGrad(() => {
  rows['add 8x8'] = nanoseconds(() => void add(a, b))
  rows['add 8x8, freed at once'] = nanoseconds(() => add(a, b).free())
  rows['native call that does nothing'] = nanoseconds(() => void liveTensors())
  rows['a shape, not cached'] = nanoseconds(() => void addon().shape(a.handle))
})
a.requiresGrad = true
rows['add 8x8, recording gradients'] = nanoseconds(() => void add(a, b))
for (const [name, value] of Object.entries(rows))
  console.log(JSON.stringify({ bench: 'dispatch', name, nanoseconds: Math.round(value) }))
console.table(Object.entries(rows).map(([name, value]) => ({ name, 'ns a call': Math.round(value) })))
