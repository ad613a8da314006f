// npm run trials -- people [RUNS] [EACH] [FIRST SEED]: six faults planted among twelve simulated annotators, 500 judgements each; does the report on
// people name them, and whom does it wrong? Two kinds of crowd: with all six faults, and with none. Prints how often each
// fault is found by each test, and how often honest people are accused of anything. Exits 1 if a fault is found in less than nine
// crowds of ten, or a crowd without faults is accused more often than the report states (95% interval above it).
import { PEOPLE_TESTS, type PeopleTest, reportPeople } from '#feedback'
import { wilson } from '#stats'
import { type Fault, FAULTS, plantedCrowd } from './worlds/crowd.ts'

const runs = Number(process.argv[2] ?? 200)
const each = Number(process.argv[3] ?? 500)
const first = Number(process.argv[4] ?? 0)
const RATE = 0.05
/** Tests that name a fault for what it is. */
const NAMES: Record<Fault, readonly PeopleTest[]> = {
  side: ['side'],
  length: ['length'],
  speed: ['pace'],
  drift: ['drift', 'gold'],
  spam: ['knowledge'],
  adversary: ['knowledge'],
}

const found = new Map<string, number>()
const count = (key: string) => found.set(key, (found.get(key) ?? 0) + 1)
const honest = { people: 0, accused: 0, crowds: 0, crowdsAccused: 0, bare: 0, bareAccused: 0 }
for (let run = first; run < first + runs; run++) {
  for (const faults of [FAULTS, []]) {
    const { people, judgements, comparisons, gold } = plantedCrowd({ seed: run, faults, each })
    const report = reportPeople(judgements, { comparisons, gold, seed: run, rate: RATE })
    let wronged = 0
    for (const { id, fault } of people) {
      const accused = report.people.find(({ annotator }) => annotator === id)!.findings.filter((f) => f.isAccused)
      const tests = accused.map(({ test }) => test)
      if (fault) {
        for (const test of tests) count(`${fault} ${test}`)
        if (tests.length > 0) count(`${fault} any`)
        if (tests.some((test) => NAMES[fault].includes(test))) count(`${fault} named`)
        if (accused.some(({ says }) => says.includes('the wrong way round'))) count(`${fault} adverse`)
      } else if (tests.length > 0) {
        wronged++
        for (const test of tests) count(`honest ${faults.length > 0 ? 'among faults' : 'alone'} ${test}`)
      }
    }
    if (faults.length === 0) {
      honest.bare++
      honest.bareAccused += Number(wronged > 0)
    } else {
      honest.people += people.filter(({ fault }) => !fault).length
      honest.accused += wronged
      honest.crowds++
      honest.crowdsAccused += Number(wronged > 0)
    }
  }
}

const share = (n: number, of: number) => {
  const { value, low, high } = wilson(n, of)
  return `${(100 * value).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`
}
const tests = Object.keys(PEOPLE_TESTS) as PeopleTest[]
console.log(`${runs} crowds of 12 from seed ${first}, ${each} judgements each; stated rate ${100 * RATE}% a crowd`)
console.table(
  FAULTS.map((fault) => ({
    fault,
    named: share(found.get(`${fault} named`) ?? 0, runs),
    any: found.get(`${fault} any`) ?? 0,
    'wrong way round': found.get(`${fault} adverse`) ?? 0,
    ...Object.fromEntries(tests.map((test) => [test, found.get(`${fault} ${test}`) ?? 0])),
  })),
)
console.log(`honest people among faults accused of anything: ${share(honest.accused, honest.people)} of people`)
console.log(`crowds with faults in which an honest one is accused: ${share(honest.crowdsAccused, honest.crowds)}`)
console.log(`crowds without faults in which anybody is accused: ${share(honest.bareAccused, honest.bare)}`)
for (const [key, n] of found) if (key.startsWith('honest')) console.log(`  ${key}: ${n}`)
const isMissed = FAULTS.some((fault) => (found.get(`${fault} named`) ?? 0) < 0.9 * runs)
process.exit(isMissed || wilson(honest.bareAccused, honest.bare).low > RATE ? 1 : 0)
