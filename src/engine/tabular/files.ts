// A tabular model on disk: one JSON file, whose numbers round-trip exactly. Written into a folder that must not hold one
// yet; opened for resuming only if its hash is the one that was answered when it was saved.
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError, EngineError } from '#errors'
import type { Saved } from '../contract.ts'
import type { Parameters } from './pass.ts'
import { fromJson, type Moments, type Table, toJson } from './tables.ts'

export type Stored = Parameters & {
  moments?: { policy: Moments; values: Moments; scores: Moments }
  step?: number
}

const FILE = 'tabular.json'
const Rows = z.record(z.string(), z.array(z.number()))
const StoredMoments = z.strictObject({ first: Rows, second: Rows, steps: z.number().int().nonnegative() })
const StoredJson = z.strictObject({
  vocab: z.number().int().min(2),
  policy: Rows,
  values: Rows.optional(),
  scores: z
    .strictObject({
      names: z.array(z.string()),
      read: z.enum(['last', 'sum']),
      affine: z.array(z.strictObject({ mean: z.number(), scale: z.number() })),
      rows: Rows,
    })
    .optional(),
  moments: z.strictObject({ policy: StoredMoments, values: StoredMoments, scores: StoredMoments }).optional(),
  step: z.number().int().nonnegative().optional(),
})

export async function writeTabular(folder: string, { policy, values, scores, moments, step }: Stored): Promise<Saved> {
  const json: z.infer<typeof StoredJson> = {
    vocab: policy.width,
    policy: toJson(policy),
    ...(values && { values: toJson(values) }),
    ...(scores && {
      scores: { names: scores.names, read: scores.read, affine: scores.affine, rows: toJson(scores.table) },
    }),
    ...(moments && {
      moments: {
        policy: momentsToJson(moments.policy),
        values: momentsToJson(moments.values),
        scores: momentsToJson(moments.scores),
      },
    }),
    ...(step !== undefined && { step }),
  }
  const text = JSON.stringify(json)
  await mkdir(folder, { recursive: true })
  try {
    await writeFile(join(folder, FILE), text, { flag: 'wx' })
  } catch (cause) {
    throw new EngineError(`cannot save into ${folder}: expected a folder without ${FILE}`, { cause })
  }
  return { folder, files: [{ path: FILE, sha256: hashOf(text) }] }
}

/** With `saved`, the file must have the hash that saving answered. */
export async function readTabular(folder: string, saved?: Saved): Promise<Stored> {
  const path = join(folder, FILE)
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new DataError('no tabular model here', { file: path }, { cause })
  }
  const expected = saved?.files.find((f) => f.path === FILE)?.sha256
  if (saved && hashOf(text) !== expected)
    throw new DataError(`hash differs from ${expected}: the file was changed`, { file: path })
  const { vocab, policy, values, scores, moments, step } = parse(text, path)
  const heads = scores?.names.length ?? 0
  return {
    policy: fromJson(vocab, policy),
    ...(values && { values: fromJson(1, values) }),
    ...(scores && {
      scores: { names: scores.names, read: scores.read, affine: scores.affine, table: fromJson(heads, scores.rows) },
    }),
    ...(moments && {
      moments: {
        policy: momentsFromJson(vocab, moments.policy),
        values: momentsFromJson(1, moments.values),
        scores: momentsFromJson(heads, moments.scores),
      },
    }),
    ...(step !== undefined && { step }),
  }
}

/** A folder with a model whose logits are `logits` by state (tokens joined by blanks); states left out are uniform. */
export function writeTabularWeights(
  folder: string,
  { vocab, logits = {} }: { vocab: number; logits?: Record<string, number[]> },
): Promise<Saved> {
  return writeTabular(folder, { policy: fromJson(vocab, logits) })
}

function parse(text: string, file: string): z.infer<typeof StoredJson> {
  try {
    return StoredJson.parse(JSON.parse(text))
  } catch (cause) {
    throw new DataError('not a tabular model', { file }, { cause })
  }
}

const momentsToJson = (m: { first: Table; second: Table; steps: number }) => ({
  first: toJson(m.first),
  second: toJson(m.second),
  steps: m.steps,
})

const momentsFromJson = (width: number, m: z.infer<typeof StoredMoments>): Moments => ({
  first: fromJson(width, m.first),
  second: fromJson(width, m.second),
  steps: m.steps,
})

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
