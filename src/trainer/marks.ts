// What a mark rests on, kept in the run: marks/<step>/pairs.jsonl has each pair with its names, `a` the policy's completion
// and `b` the opponent's; marks/<step>/judgements.jsonl each answer with the sides as shown. A mark follows from its
// checkpoint, so a resumed run that judges it again writes the same bytes, as long as its judge answers the same.
import fs from 'node:fs'
import { join } from 'node:path'
import type { MarkPair } from '#align'
import { makeFolder, writeDurable } from '#files'
import type { Comparison, Judgement } from '#schema'

/** `probability`: that `a`, the policy's, is better. A pair of equal texts was not shown to anybody. */
export type MarkRow = Comparison & { prompt: string; opponent: MarkPair['opponent'] } & Pick<
    MarkPair,
    'probability' | 'decided' | 'wasShown'
  >

/** The item that a judge sees: which mark, which opponent, and its place among the pairs shown. */
export function itemOf(purpose: string, index: number): string {
  return `${purpose}-${index + 1}`
}

/** Writes marks/<step>, durably; one that is there is replaced. */
export function writeMark(
  folder: string,
  step: number,
  { pairs, textOf }: { pairs: readonly MarkPair[]; textOf: (tokens: Int32Array) => string },
): void {
  const at = join(folder, MARKS, name(step))
  const counts = new Map<string, number>()
  const rows = pairs.map(({ opponent, prompt, own, other, probability, decided, wasShown }): MarkRow => {
    const purpose = `mark-${step}-${opponent}${wasShown ? '' : '-equal'}`
    const index = counts.get(purpose) ?? 0
    counts.set(purpose, index + 1)
    const texts = { prompt: textOf(prompt), a: textOf(own), b: textOf(other) }
    return { item: itemOf(purpose, index), ...texts, opponent, wasShown, probability, decided }
  })
  makeFolder(at)
  writeDurable(join(at, 'pairs.jsonl'), lines(rows))
  writeDurable(join(at, 'judgements.jsonl'), lines(pairs.flatMap(({ judgements }) => judgements as Judgement[])))
}

/** Steps of the marks that a run keeps, ascending. */
export function markSteps(folder: string): number[] {
  const parent = join(folder, MARKS)
  if (!fs.existsSync(parent)) return []
  return fs
    .readdirSync(parent)
    .filter((step) => /^\d+$/.test(step))
    .map(Number)
    .sort((a, b) => a - b)
}

/** The file of a mark's judgements, or of its pairs. */
export function markFile(folder: string, step: number, file: 'judgements' | 'pairs'): string {
  return join(folder, MARKS, name(step), `${file}.jsonl`)
}

/** Drops marks of steps that a resumed run has not reached. */
export function removeMarksAfter(folder: string, step: number): void {
  for (const mark of markSteps(folder))
    if (mark > step) fs.rmSync(join(folder, MARKS, name(mark)), { recursive: true, force: true })
}

/** Brings the marks before `step` of another run into this one. */
export function copyMarks(from: string, step: number, to: string): void {
  for (const mark of markSteps(from)) {
    if (mark >= step) continue
    makeFolder(join(to, MARKS, name(mark)))
    for (const file of ['pairs', 'judgements'] as const)
      writeDurable(markFile(to, mark, file), fs.readFileSync(markFile(from, mark, file)))
  }
}

const MARKS = 'marks'

function name(step: number): string {
  return String(step).padStart(6, '0')
}

function lines(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
}
