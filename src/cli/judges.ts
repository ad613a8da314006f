// Who judges fresh pairs at a mark. `simulated:DOMAIN` asks the domain's simulated annotators; `terminal` asks whoever
// sits at this terminal. The simulated ones' answers are aggregated like any others. Left out: keeping each judgement.
import { createInterface } from 'node:readline/promises'
import { ConfigError } from '#errors'
import { aggregate } from '#feedback'
import type { Comparison } from '#schema'
import { deriveSeed, generator } from '#stats'
import type { TextJudge } from '#trainer'
import { loadDomain } from './domains.ts'

export const JUDGES = 'simulated:customer-service, or terminal'
const OVERLAP = 3

export async function openJudge(name: string, { seed }: { seed: number }): Promise<TextJudge> {
  if (name === 'terminal') return terminalJudge(seed)
  const [kind, domain] = name.split(':')
  if (kind !== 'simulated' || domain === undefined) throw new ConfigError(`--judge: expected ${JUDGES}, got ${name}`)
  return simulatedJudge(await loadDomain(domain), { seed })
}

type Domain = Awaited<ReturnType<typeof loadDomain>>
export type SimulatedJudgeOptions = {
  seed: number
  qualification?: Parameters<typeof aggregate>[0]['qualification']
}

/** Simulated annotators of a domain: three answer each pair, Dawid-Skene or what holds out better makes the verdict. */
export async function simulatedJudge(
  domain: Domain,
  { seed, qualification }: SimulatedJudgeOptions,
): Promise<TextJudge> {
  const { judgePairs } = await import('#simulate')
  const annotators = domain.annotators(seed)
  return async (pairs, purpose) => {
    const comparisons: Comparison[] = pairs.map(({ prompt, a, b }, i) => ({
      item: `${purpose}-${i + 1}`,
      prompt,
      a,
      b,
    }))
    const judgements = judgePairs(comparisons, {
      gold: domain.gold,
      annotators,
      overlap: OVERLAP,
      seed: deriveSeed(seed, 'judge', purpose),
    })
    const { preferences } = aggregate({ judgements, comparisons, seed, ...(qualification && { qualification }) })
    const byItem = new Map(preferences.map((p) => [p.item, p.probability]))
    return comparisons.map(({ item }) => ({ probability: byItem.get(item) ?? 0.5 }))
  }
}

/** One person answers each pair by a key, sides drawn by seed. */
function terminalJudge(seed: number): TextJudge {
  if (!process.stdin.isTTY)
    throw new ConfigError('--judge terminal: expected a terminal to ask at, standard input is none')
  return async (pairs, purpose) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr })
    const draw = generator(deriveSeed(seed, 'sides', purpose))
    try {
      const verdicts: { probability: number }[] = []
      for (const [i, { prompt, a, b }] of pairs.entries()) {
        const isSwapped = draw.uniform() < 0.5
        const [left, right] = isSwapped ? [b, a] : [a, b]
        process.stderr.write(`\n${i + 1} of ${pairs.length} (${purpose})\n${prompt}\n\n[1] ${left}\n\n[2] ${right}\n\n`)
        let answer = ''
        while (!['1', '2', 't'].includes(answer))
          answer = (await lines.question('better: 1, 2, or t for a tie > ')).trim()
        const ofA = answer === 't' ? 0.5 : (answer === '1') === isSwapped ? 0 : 1
        verdicts.push({ probability: ofA })
      }
      return verdicts
    } finally {
      lines.close()
    }
  }
}
