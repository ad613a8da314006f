// hone.json beside a model: what Hugging Face's config has no field for. How score heads are read and centred, the value
// head's shape, AdamW's counters. Folders of others have none.
import fs from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { DataError } from '#errors'

export const SIDECAR_FILE = 'hone.json'
/** The value head's weights, which no transformers class holds. */
export const HEADS_FILE = 'hone-heads.safetensors'
/** AdamW's moments: `first.<key>` and `second.<key>`. */
export const MOMENTS_FILE = 'hone-moments.safetensors'

const Sidecar = z.strictObject({
  value: z
    .strictObject({
      hidden: z.array(z.number().int().min(1)),
      detached: z.boolean(),
      init: z.enum(['zero', 'normal']),
    })
    .optional(),
  scores: z
    .strictObject({
      names: z.array(z.string()).min(1),
      read: z.enum(['last', 'sum']),
      affine: z.array(z.strictObject({ mean: z.number(), scale: z.number() })),
    })
    .optional(),
  /** Hash of the base of an adapter. */
  base: z.string().optional(),
  updates: z
    .strictObject({ body: z.number().int().min(0), heads: z.number().int().min(0), step: z.number().int().min(0) })
    .optional(),
})
export type Sidecar = z.infer<typeof Sidecar>

/** Undefined when the folder has none. */
export function readSidecar(folder: string): Sidecar | undefined {
  const file = join(folder, SIDECAR_FILE)
  if (!fs.existsSync(file)) return undefined
  let json: unknown
  try {
    json = JSON.parse(fs.readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new DataError(`expected JSON: ${(cause as Error).message}`, { file }, { cause })
  }
  const parsed = Sidecar.safeParse(json)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    throw new DataError(issue?.message ?? 'is not understood', { file, field: issue?.path.join('.') ?? '' })
  }
  return parsed.data
}
