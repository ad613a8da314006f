// npm run trials -- sign-in-time [TRIES]: does the time of a refused sign-in tell whether the account exists? Known accounts with a
// wrong password, unknown ones and disabled ones in an order drawn anew each turn, each try from elsewhere, so that none is
// refused for its number. Says the medians and their differences to the known, by the clock, and by the processor's, which
// other work on the machine moves less; exits 1 where the clock's is 5 ms or more.
import { generator } from '#stats'
import { openHarness, PASSWORD, setUp } from '../src/server/harness.test-data.ts'

const TRIES = Number(process.argv[2] ?? 200)
const WARM = 10
const MOST_MILLISECONDS = 5
const WHO = ['known', 'unknown', 'disabled'] as const
type Who = (typeof WHO)[number]

const harness = await openHarness()
const owner = await setUp(harness)
const known = await harness.join('desk', 'viewer', owner)
const disabled = await harness.join('desk', 'viewer', owner)
await owner.ask(`PUT /api/accounts/${disabled.id}/state`, { state: 'disabled' })
const emailOf = (who: Who, n: number): string =>
  who === 'unknown' ? `nobody-${n}@example.org` : (who === 'known' ? known : disabled).email

const wall: Record<Who, number[]> = { known: [], unknown: [], disabled: [] }
const processor: Record<Who, number[]> = { known: [], unknown: [], disabled: [] }
const random = generator(1)
for (let n = 0; n < WARM + TRIES; n++)
  for (const who of random.shuffle(WHO)) {
    const guesser = harness.stranger(`198.51.${n >> 8}.${n & 255}`)
    const [began, used] = [performance.now(), process.cpuUsage()]
    const body = { email: emailOf(who, n), password: `${PASSWORD}, or not` }
    const { status } = await guesser.ask('POST /api/session', body)
    if (status !== 401) throw new Error(`${who}: ${status}`)
    if (n < WARM) continue
    const { user, system } = process.cpuUsage(used)
    wall[who].push(performance.now() - began)
    processor[who].push((user + system) / 1000)
  }
await harness.close()

const median = (all: number[]): number => all.toSorted((x, y) => x - y)[all.length >> 1]!
function differences(name: string, times: Record<Who, number[]>): number[] {
  const [first, ...others] = WHO.map((who) => median(times[who])) as [number, ...number[]]
  const apart = others.map((other) => other - first)
  const said = WHO.slice(1).map((who, i) => `${who} ${apart[i]! >= 0 ? '+' : ''}${apart[i]!.toFixed(2)}`)
  console.log(`${name}: known ${first.toFixed(2)} ms; ${said.join(', ')}`)
  return apart
}
console.log(`medians of ${TRIES} tries each`)
const apart = differences('clock', wall)
differences('processor', processor)
process.exit(apart.every((milliseconds) => Math.abs(milliseconds) < MOST_MILLISECONDS) ? 0 : 1)
