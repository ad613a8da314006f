// What one evaluation found, as a file: which model on which rows, by hash, and statistics with their intervals. Gates
// read it, and lineage walks over it.
import fs from 'node:fs'
import { z } from 'zod'
import { DataError } from '#errors'
import { writeDurable } from '#files'
import { ObjectiveStamp } from '#schema'

export const Artifact = z.strictObject({ path: z.string(), hash: z.string() })
export type Artifact = z.infer<typeof Artifact>

const NamedArtifact = z.strictObject({ name: z.string(), ...Artifact.shape })

/**
 * The objective of a record; `path`: of the file that --objective named, whose weights, levels or targets were read. Records
 * from before there was one id name it as a file, {path, hash}.
 */
const OfRecord = z.preprocess(
  (given) => {
    const { path, hash } = Artifact.safeParse(given).data ?? {}
    return hash === undefined ? given : { id: hash, path }
  },
  ObjectiveStamp.extend({ path: z.string().optional() }),
)

export const Evaluation = z.strictObject({
  kind: z.literal('evaluation'),
  hone: z.string(),
  metric: z.string(),
  model: Artifact,
  /** Of a win rate: what the model was held against, the pairs, and the answers. */
  against: Artifact.optional(),
  pairs: Artifact.optional(),
  judgements: z.array(Artifact).optional(),
  /** Of ratings: all models, this one first, by the names that its statistics use. */
  rated: z.array(NamedArtifact).optional(),
  /** Of a reward model: a policy's completions; of a task: a line an answer. Expert ratings. */
  samples: Artifact.optional(),
  ratings: Artifact.optional(),
  objective: OfRecord.optional(),
  /** Said where what it rests on was made under other objectives. */
  objectivesDiffer: z.string().optional(),
  suite: z.strictObject({ name: z.string(), ...Artifact.shape, rows: z.number().int().positive() }),
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.array(z.string())])),
  /** True when judgements behind the rows, or behind the model, came from simulated annotators. */
  simulated: z.boolean(),
  statistics: z.record(z.string(), z.unknown()),
})
export type Evaluation = z.infer<typeof Evaluation>

/** What the model was held against, by role. */
export function opponentsOf({ against, rated = [] }: Pick<Evaluation, 'against' | 'rated'>): Record<string, Artifact> {
  const others = rated.slice(1).map(({ name, path, hash }): [string, Artifact] => [`against ${name}`, { path, hash }])
  return { ...(against && { against }), ...Object.fromEntries(others) }
}

/** Who is who in a file of pairs: for its author alone until all is judged. */
export const PairsKey = z.strictObject({
  kind: z.literal('pairs'),
  hone: z.string(),
  model: Artifact,
  against: Artifact,
  prompts: Artifact,
  pairs: Artifact,
  settings: z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())])),
  /** Of each row of the pairs: `a` is the model's, `b` that of what it is held against. */
  isModelA: z.array(z.boolean()),
})
export type PairsKey = z.infer<typeof PairsKey>

/** The same of pairs among three models or more. */
export const RoundKey = z.strictObject({
  kind: z.literal('pairs'),
  hone: z.string(),
  models: z.array(NamedArtifact).min(3),
  prompts: Artifact,
  pairs: Artifact,
  settings: PairsKey.shape.settings,
  /** Of each row of the pairs: names of the models that wrote `a` and `b`. */
  wrote: z.array(z.tuple([z.string(), z.string()])),
})
export type RoundKey = z.infer<typeof RoundKey>

/** What hone gate wrote: the verdict and what it rests on. */
const Release = z.object({
  kind: z.literal('release'),
  verdict: z.string(),
  reasons: z.array(z.string()),
  model: Artifact,
  rules: Artifact.optional(),
  objective: OfRecord.optional(),
  objectivesDiffer: z.string().optional(),
  evaluations: z.array(z.strictObject({ ...Artifact.shape, label: z.string().optional() })),
})

export type Release = z.infer<typeof Release>

/** A file that is none is a DataError. */
export function readRelease(file: string): Release {
  return readRecord(file, Release, 'hone gate --out')
}

export function writeEvaluation(file: string, evaluation: Evaluation): void {
  writeDurable(file, `${JSON.stringify(evaluation, null, 2)}\n`)
}

/** A file that is none is a DataError. */
export function readEvaluation(file: string): Evaluation {
  return readRecord(file, Evaluation, 'hone evaluate --out')
}

function readRecord<T>(file: string, schema: z.ZodType<T>, writer: string): T {
  const parsed = schema.safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected what ${writer} wrote: ${message}`, { file, field: path.join('.') })
}

export function readJsonFile(file: string): unknown {
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DataError('expected a file that can be read: check the path', { file }, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
}
