// hone's side of the bench crowd: FILE ROUNDS OUT. Writes posteriors as float64, items and classes by name.
import fs from 'node:fs'
import { dawidSkene, type Label, tabulate } from '#feedback'

const [file, rounds, out] = process.argv.slice(2) as [string, string, string]
const labels: Label[] = fs
  .readFileSync(file, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => {
    const [item, annotator, value] = line.split(',') as [string, string, string]
    return { item, annotator, value }
  })
const cpu = process.cpuUsage()
const began = performance.now()
const table = tabulate(labels)
const { posterior_IK } = dawidSkene(table, {
  prior: { right: 0, wrong: 0 },
  rounds: Number(rounds),
  tolerance: -1,
})
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(cpu)
const K = table.classes.length
const order = table.items.map((name, i) => ({ name, i })).sort((a, b) => (a.name < b.name ? -1 : 1))
const sorted = Float64Array.from(order.flatMap(({ i }) => [...posterior_IK.subarray(i * K, i * K + K)]))
fs.writeFileSync(out, new Uint8Array(sorted.buffer))
const peakMemoryBytes = process.resourceUsage().maxRSS * 1024
console.log(
  JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, peakMemoryBytes, version: `Node ${process.version}` }),
)
