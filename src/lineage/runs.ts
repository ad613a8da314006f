// What lineage reads of a run and of a trained model: run.json, the card beside the weights, the marks that were judged.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '#errors'
import { ObjectiveStamp } from '#schema'
import { Artifact, readJsonFile } from './evaluations.ts'

const Run = z.object({
  recipe: z.string(),
  status: z.string(),
  inputs: z.record(z.string(), Artifact),
  outputs: z.record(z.string(), Artifact),
  simulated: z.boolean(),
  objective: ObjectiveStamp.optional(),
  objectivesDiffer: z.string().optional(),
  supersedes: z.string().optional(),
  outcome: z.record(z.string(), z.unknown()).optional(),
})
const Card = z.object({
  recipe: z.string(),
  parents: z.record(z.string(), z.string()),
  simulated: z.boolean().default(false),
  objective: ObjectiveStamp.optional(),
})
export type Card = z.infer<typeof Card>

export function readRunRecord(folder: string): z.infer<typeof Run> {
  const file = join(folder, 'run.json')
  const parsed = Run.safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected what hone wrote: ${message}`, { file, field: path.join('.') })
}

/** The record of the run in this folder; undefined where it holds none of ours. */
export function runIfAny(folder: string): z.infer<typeof Run> | undefined {
  const file = join(folder, 'run.json')
  return fs.existsSync(file) ? Run.safeParse(readJsonFile(file)).data : undefined
}

/** How the model in this folder was trained; undefined where nothing says so. */
export function readCardOf(folder: string): Card | undefined {
  const file = join(folder, 'hone-training.json')
  return fs.existsSync(file) ? Card.safeParse(readJsonFile(file)).data : undefined
}

/** Judgements at the marks of a PPO run, by step. */
export function judgedMarks(folder: string): { step: number; file: string }[] {
  const marks = join(folder, 'marks')
  if (!fs.existsSync(marks)) return []
  return fs
    .readdirSync(marks)
    .filter((name) => /^\d+$/.test(name))
    .sort()
    .map((name) => ({ step: Number(name), file: join(marks, name, 'judgements.jsonl') }))
    .filter(({ file }) => fs.existsSync(file))
}
