// How many rows of each stratum are wanted (edge cases, adversarial, emotional, escalations), as a file that people write:
// {"demonstrations": {"edge": 40}, "prompts": {"edge": 200}}; and how far a dataset has come. Coverage counts what is there.
import fs from 'node:fs'
import { z } from 'zod'
import { DataError } from '#errors'
import type { Coverage } from './coverage.ts'
import { describePath, parseJson, placeOf } from './json.ts'

const counts = z
  .record(z.string().min(1), z.number().int().positive('expected how many are wanted, 1 or more'))
  .refine((of) => Object.keys(of).length > 0, 'expected at least one stratum, got none')

const SHAPE = 'expected {"demonstrations": {STRATUM: COUNT}}, or prompts likewise'
/** Unknown keys keep their own words. */
const quotasError = ({ code }: { code?: string }) => (code === 'invalid_type' ? SHAPE : undefined)

export const Quotas = z
  .strictObject({ demonstrations: counts.optional(), prompts: counts.optional() }, { error: quotasError })
  .refine((q) => q.demonstrations !== undefined || q.prompts !== undefined, {
    message: SHAPE,
  })
export type Quotas = z.infer<typeof Quotas>

export type Progress = { of: 'demonstrations' | 'prompts'; stratum: string; wanted: number; have: number }

/** @throws DataError with file, line and field */
export function readQuotas(file: string): Quotas {
  let text: string
  try {
    text = fs.readFileSync(file, 'utf8')
  } catch (cause) {
    throw new DataError('expected a file of quotas that can be read: check the path', { file }, { cause })
  }
  const start = { file, line: 1, column: 1 }
  const parsed = Quotas.safeParse(parseJson(text, start))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  const field = describePath(path)
  throw new DataError(message, { ...placeOf(text, path, start), ...(field && { field }) })
}

/** Furthest from their quota first; a stratum that no row names has 0. */
export function quotaProgress(strata: Coverage['strata'], quotas: Quotas): Progress[] {
  const have = new Map(strata.map((counts) => [counts.stratum, counts]))
  const progress = (['demonstrations', 'prompts'] as const).flatMap((of) =>
    Object.entries(quotas[of] ?? {}).map(([stratum, wanted]) => ({
      of,
      stratum,
      wanted,
      have: have.get(stratum)?.[of] ?? 0,
    })),
  )
  return progress.sort((a, b) => shareOf(a) - shareOf(b) || (a.of === b.of ? 0 : a.of < b.of ? -1 : 1))
}

function shareOf({ have, wanted }: Progress): number {
  return Math.min(1, have / wanted)
}
