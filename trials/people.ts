// npm run trials -- people [RUNS 200] [EACH 500] [KEEP] [SECONDS]: six faults planted among twelve simulated annotators, so many
// judgements each; does the report on people name them, and whom does it wrong? Two crowds a run: with all six faults, and with
// none. Prints how often each fault is found by each test, and how often honest people are accused of anything. With KEEP, a
// file, each run is a line there, those that it has are not run again, and after SECONDS it stops: so it can be had in pieces.
// Exits 1 if a fault is found in less than nine crowds of ten, or a crowd without faults is accused more often than the report
// states (95% interval above it); 2 while runs are missing.
import fs from 'node:fs'
import { PEOPLE_TESTS, type PeopleTest, reportPeople } from '#feedback'
import { wilson } from '#stats'
import { type Fault, FAULTS, plantedCrowd } from './worlds/crowd.ts'

const [runs, each] = [Number(process.argv[2] ?? 200), Number(process.argv[3] ?? 500)]
const [, , , , keep, seconds = 'Infinity'] = process.argv
const RATE = 0.05
/** Tests that name a fault for what it is. */
const NAMES: Record<Fault, readonly PeopleTest[]> = {
  side: ['side'],
  length: ['length'],
  speed: ['pace'],
  drift: ['drift', 'gold'],
  // Who clicks without reading knows nothing, and reads nothing.
  spam: ['knowledge', 'pace'],
  adversary: ['knowledge'],
}

/** What the report said of each of the twelve. */
type Person = { fault: Fault | null; tests: PeopleTest[]; isAdverse: boolean }
type Run = { seed: number; each: number; planted: Person[]; bare: Person[] }

function accusations(seed: number, faults: readonly Fault[]): Person[] {
  const { people, judgements, comparisons, gold } = plantedCrowd({ seed, faults, each })
  const report = reportPeople(judgements, { comparisons, gold, seed, rate: RATE })
  return people.map(({ id, fault }) => {
    const { findings } = report.people.find(({ annotator }) => annotator === id)!
    const accused = findings.filter(({ isAccused }) => isAccused)
    return {
      fault: fault ?? null,
      tests: accused.map(({ test }) => test),
      isAdverse: accused.some(({ says }) => says.includes('the wrong way round')),
    }
  })
}

const kept = keep === undefined || !fs.existsSync(keep) ? [] : fs.readFileSync(keep, 'utf8').trim().split('\n')
const all = new Map<number, Run>()
for (const line of kept) {
  const run = JSON.parse(line) as Run
  if (run.each === each && run.seed < runs) all.set(run.seed, run)
}
const start = performance.now()
for (let seed = 0; seed < runs && performance.now() - start < Number(seconds) * 1000; seed++) {
  if (all.has(seed)) continue
  const run: Run = { seed, each, planted: accusations(seed, FAULTS), bare: accusations(seed, []) }
  all.set(seed, run)
  if (keep !== undefined) fs.appendFileSync(keep, `${JSON.stringify(run)}\n`)
}

const share = (n: number, of: number) => {
  const { value, low, high } = wilson(n, of)
  return `${(100 * value).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
}
const done = [...all.values()]
const count = (people: readonly Person[], is: (person: Person) => boolean) => people.filter(is).length
const planted = done.flatMap((run) => run.planted)
const isAccused = ({ tests }: Person) => tests.length > 0
const isNamed = ({ fault, tests }: Person) => fault !== null && tests.some((test) => NAMES[fault].includes(test))
const names = Object.keys(PEOPLE_TESTS) as PeopleTest[]
console.log(`${done.length} of ${runs} crowds of 12, ${each} judgements each; stated rate ${100 * RATE}% a crowd`)
console.table(
  FAULTS.map((fault) => {
    const own = planted.filter((person) => person.fault === fault)
    return {
      fault,
      named: share(count(own, isNamed), own.length),
      any: count(own, isAccused),
      'wrong way round': count(own, ({ isAdverse }) => isAdverse),
      ...Object.fromEntries(names.map((name) => [name, count(own, ({ tests }) => tests.includes(name))])),
    }
  }),
)
const honest = planted.filter(({ fault }) => fault === null)
const isWronged = (people: readonly Person[]) => people.some((person) => person.fault === null && isAccused(person))
const [among, alone] = [done.filter((run) => isWronged(run.planted)), done.filter((run) => isWronged(run.bare))]
console.log(
  `honest people among faults accused of anything: ${share(count(honest, isAccused), honest.length)} of people`,
)
console.log(`crowds with faults in which an honest one is accused: ${share(among.length, done.length)}`)
console.log(`crowds without faults in which anybody is accused: ${share(alone.length, done.length)}`)
for (const [where, people] of [
  ['among faults', honest],
  ['alone', done.flatMap((run) => run.bare)],
] as const)
  for (const name of names) {
    const n = count(people, ({ tests }) => tests.includes(name))
    if (n > 0) console.log(`  honest ${where}, ${name}: ${n}`)
  }
if (done.length < runs) process.exit(2)
const isMissed = FAULTS.some((fault) => {
  const own = planted.filter((person) => person.fault === fault)
  return count(own, isNamed) < 0.9 * own.length
})
process.exit(isMissed || wilson(alone.length, done.length).low > RATE ? 1 : 0)
