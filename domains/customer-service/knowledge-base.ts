// The company's facts and policies, from knowledge-base.json: what a prompt's facts instantiate.
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const words = z.array(z.string()).min(1)
const numbers = z.array(z.number().int().positive()).min(1)

const KnowledgeBase = z.strictObject({
  version: z.string(),
  company: z.string(),
  items: words,
  days: words,
  months: words,
  managers: words,
  limits: numbers.describe('dollars that may be promised without a manager'),
  amounts: numbers.describe('dollars that customers ask for'),
  windows: numbers.describe('days to send something back'),
  minutes: numbers,
  days_late: numbers,
  policies: z.array(z.strictObject({ intent: z.string(), rule: z.string() })),
})

export const knowledgeBase = KnowledgeBase.parse(
  JSON.parse(readFileSync(new URL('./knowledge-base.json', import.meta.url), 'utf8')),
)
