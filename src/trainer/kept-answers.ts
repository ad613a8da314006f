// A mark that is judged again, with another reward model, is of the same completions: its pairs have their answers already,
// in marks/<step>. Nobody is asked twice.
import fs from 'node:fs'
import { DataError, invariant } from '#errors'
import type { Comparison, Judgement } from '#schema'
import { markFile, type MarkRow } from './marks.ts'
import type { TextJudge, TextVerdict } from './prepare-ppo.ts'

/** The judge, but for the mark at `step` of this run, whose answers are those that the run keeps. */
export function withKeptAnswers(judge: TextJudge, { run, step }: { run: string; step: number }): TextJudge {
  const isKept = (purpose: string) => purpose.startsWith(`mark-${step}-`)
  const answer: TextJudge = async (pairs, purpose) =>
    isKept(purpose) ? keptVerdicts(pairs, { run, step }) : judge(pairs, purpose)
  const { announce } = judge
  if (!announce) return answer
  return Object.assign(answer, {
    announce: async (of: number, asked: readonly Comparison[]) => (of === step ? undefined : announce(of, asked)),
  })
}

function keptVerdicts(pairs: readonly Comparison[], { run, step }: { run: string; step: number }): TextVerdict[] {
  const rows = new Map(readLines<MarkRow>(markFile(run, step, 'pairs')).map((row) => [row.item, row]))
  const judgements = readLines<Judgement>(markFile(run, step, 'judgements'))
  return pairs.map(({ item, a, b }) => {
    const row = rows.get(item)
    const isOwnA = row?.a === a
    if (!row || (isOwnA ? row.b !== b : row.a !== b || row.b !== a))
      throw new DataError(`expected the pair ${item} that was judged at step ${step}: the run or its models changed`, {
        file: markFile(run, step, 'pairs'),
      })
    const { probability, decided } = row
    return {
      probability: isOwnA ? probability : 1 - probability,
      decided,
      judgements: judgements.filter((judgement) => judgement.item === item),
    }
  })
}

function readLines<T>(file: string): T[] {
  invariant(fs.existsSync(file), `a mark keeps what it rests on: ${file}`)
  const lines = fs.readFileSync(file, 'utf8').split('\n').filter(Boolean)
  return lines.map((line) => JSON.parse(line) as T)
}
