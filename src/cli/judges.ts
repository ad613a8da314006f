// Who judges pairs at a mark or for a win rate. `people` asks the workspace's, `terminal` asks whoever sits here, `simulated:DOMAIN` the domain's simulated
// annotators, `reward:FOLDER` a reward model, `rules:FILE` weighted rule terms. All answer in rows of judgements, which
// whoever asked keeps; those of programs say `simulated`.
import fs from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { scoresOf } from '#align'
import { readRows } from '#data'
import { ConfigError, DataError } from '#errors'
import { aggregate, gatherItems } from '#feedback'
import { writeDurable } from '#files'
import type { Comparison, Judgement } from '#schema'
import { average, deriveSeed } from '#stats'
import { pairExamples, readRules, resolveModel, scoreScale, type TextJudge, type TextVerdict } from '#trainer'
import { withModel } from './completions.ts'
import { loadDomain } from './domains.ts'
import { judge, promptText } from './judging.ts'
import { Stopped } from './stop.ts'
import { openTerminal } from './terminal.ts'

export const JUDGES = 'terminal[:NAME], simulated:customer-service, reward:FOLDER, or rules:FILE'
const OVERLAP = 3

export type JudgeOptions = {
  seed: number
  /** Where a person's answers are kept until all pairs are judged. */
  folder: string
  /** The run whose marks are judged. */
  run?: string | undefined
  /** Written into each judgement of a person. */
  guideline?: string | undefined
  criterion?: string | undefined
}

export async function openJudge(name: string, options: JudgeOptions): Promise<TextJudge> {
  const { kind, of } = partsOf(name)
  switch (kind) {
    case 'people':
      if (options.run === undefined)
        throw new ConfigError(`--judge people: only the marks of a run are put to people; expected ${JUDGES}`)
      // The server's rooms come with it, which no other judge needs.
      return (await import('./people-judge.ts')).peopleJudge({ seed: options.seed, run: options.run })
    case 'terminal':
      return terminalJudge(of ?? 'terminal', options)
    case 'simulated':
      return simulatedJudge(await loadDomain(of!), options)
    case 'reward':
      return rewardJudge(of!)
    case 'rules':
      return rulesJudge(of!)
    default:
      throw new Error(`unknown judge ${kind satisfies never}`)
  }
}

/** The name as a run in another folder must read it: files and models by absolute path. */
export function absoluteJudge(name: string): string {
  const { kind, of } = partsOf(name)
  if (kind === 'reward') return `reward:${resolve(resolveModel(of!, '--judge'))}`
  return kind === 'rules' ? `rules:${resolve(of!)}` : name
}

function partsOf(name: string): { kind: 'people' | 'terminal' | 'simulated' | 'reward' | 'rules'; of?: string } {
  const [, kind, of] = /^(people|terminal|simulated|reward|rules)(?::(.+))?$/s.exec(name) ?? []
  if (
    kind === undefined ||
    (of === undefined && kind !== 'terminal' && kind !== 'people') ||
    (of !== undefined && kind === 'people')
  )
    throw new ConfigError(`--judge: expected ${JUDGES}, or people at marks; got ${name}`)
  return { kind: kind as ReturnType<typeof partsOf>['kind'], ...(of !== undefined && { of }) }
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
  return async (comparisons, purpose) => {
    const judgements = judgePairs(comparisons, {
      gold: domain.gold,
      annotators,
      overlap: OVERLAP,
      seed: deriveSeed(seed, 'judge', purpose),
      guideline: domain.guideline.name,
    })
    const { preferences } = aggregate({ judgements, comparisons, seed, ...(qualification && { qualification }) })
    const byItem = new Map(preferences.map((p) => [p.item, p.probability]))
    const answers = answersByItem(judgements)
    return comparisons.map(({ item }) => ({
      probability: byItem.get(item) ?? 0.5,
      judgements: answers.get(item) ?? [],
    }))
  }
}

/** One person answers each pair by a key. Each answer is on disk before the next pair is shown, and is not asked for again. */
function terminalJudge(annotator: string, { seed, folder, guideline, criterion }: JudgeOptions): TextJudge {
  if (!process.stdin.isTTY)
    throw new ConfigError('--judge terminal: expected a terminal to ask at, standard input is none')
  return async (comparisons, purpose) => {
    fs.mkdirSync(folder, { recursive: true })
    const file = join(folder, `${purpose}.jsonl`)
    const before = await answersTo(comparisons, file)
    const { terminal, close } = openTerminal()
    try {
      terminal.show(`\n${purpose}`)
      const { left } = await judge({ comparisons, before, annotator, file, seed, guideline, criterion }, terminal)
      if (left > 0)
        throw new Stopped(`${left} of ${comparisons.length} pairs are left to judge; answers so far are in ${file}`)
    } finally {
      close()
    }
    return verdictsOf(comparisons, (await readRows(file, { kind: 'judgements' })).rows)
  }
}

/** Answers of an earlier sitting; those to other texts, of a run that went another way, are dropped. */
async function answersTo(comparisons: readonly Comparison[], file: string): Promise<Judgement[]> {
  if (!fs.existsSync(file) || fs.statSync(file).size === 0) return []
  const { rows } = await readRows(file, { kind: 'judgements' })
  const pairs = new Map(comparisons.map(({ item, a, b }) => [item, [a, b].sort().join('\n')]))
  const kept = rows.filter(({ item, left, right }) => pairs.get(item) === [left, right].sort().join('\n'))
  if (kept.length < rows.length) writeDurable(file, kept.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return kept
}

function answersByItem(judgements: readonly Judgement[]): Map<string, Judgement[]> {
  const answers = new Map<string, Judgement[]>()
  for (const judgement of judgements) {
    const known = answers.get(judgement.item)
    if (known) known.push(judgement)
    else answers.set(judgement.item, [judgement])
  }
  return answers
}

/** The mean of what was said of each pair; a pair that could not be judged decides nothing. */
export function verdictsOf(comparisons: readonly Comparison[], judgements: readonly Judgement[]): TextVerdict[] {
  const answers = answersByItem(judgements)
  return gatherItems(judgements, comparisons).map(({ item, votes }) => {
    const said = votes.flatMap(({ towardsA }) => towardsA ?? [])
    return {
      probability: said.length > 0 ? average(said) : 0.5,
      ...(said.length === 0 && { decided: false }),
      judgements: answers.get(item) ?? [],
    }
  })
}

/** A reward model's own probability that `a` is better. */
function rewardJudge(folder: string): TextJudge {
  return (comparisons) =>
    withModel({ name: folder, device: 'cpu', flag: '--judge reward', kind: 'reward' }, async (opened) => {
      const { engine, model, tokenizer, maxTokens, folder: weights } = opened
      const preferences = comparisons.map((pair) => ({ ...pair, probability: 0.5, weight: 1, judgements: 0 }))
      const { rows, setAside } = await pairExamples(tokenizer, preferences, { maxTokens })
      if (setAside[0])
        throw new DataError(`--judge reward: pair ${setAside[0].row + 1} cannot be scored: ${setAside[0].reason}`)
      const score = (side: 'a' | 'b') =>
        scoresOf(
          engine,
          model,
          rows.map((row) => ({ prompt: row.prompt, completion: row[side] })),
        )
      const [scoresA, scoresB] = [await score('a'), await score('b')]
      const logits = scoreScale(weights)
      return comparisons.map((pair, i) => {
        const difference = scoresA[i]! - scoresB[i]!
        return byProgram(pair, {
          annotator: `reward:${basename(resolve(folder))}`,
          difference,
          probability: 1 / (1 + Math.exp(-logits * difference)),
        })
      })
    })
}

/** The weighted sum of rule terms; the higher one wins, whatever the distance. */
async function rulesJudge(file: string): Promise<TextJudge> {
  const rules = await readRules(file)
  return async (comparisons) =>
    comparisons.map((pair) => {
      const prompt = promptText(pair.prompt)
      const score = (completion: string) =>
        rules.reduce((sum, { weight, score: of }) => sum + weight * of({ prompt, completion, finished: true }), 0)
      const difference = score(pair.a) - score(pair.b)
      return byProgram(pair, {
        annotator: `rules:${basename(file)}`,
        difference,
        probability: (1 + Math.sign(difference)) / 2,
      })
    })
}

function byProgram(
  { item, prompt, a: left, b: right }: Comparison,
  { annotator, difference, probability }: { annotator: string; difference: number; probability: number },
): TextVerdict {
  const choice = difference > 0 ? 'left' : difference < 0 ? 'right' : 'tie'
  return { probability, judgements: [{ item, annotator, prompt, left, right, choice, simulated: true }] }
}
