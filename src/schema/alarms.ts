// The alarms of a reinforcement-learning run by name, and how somebody moves their thresholds in one setting:
// `length=3,entropy=0.5,distinct-1=off`. What each measures is in align/alarms.ts.
import { z } from 'zod'

export const ALARMS = [
  'length',
  'repetition',
  'entropy',
  'distinct-1',
  'distinct-2',
  'identical-samples',
  'no-end',
  'out-of-range',
  'kl-jump',
  'sampler-gap',
  'non-finite',
] as const
export type AlarmName = (typeof ALARMS)[number]

/** Weights that are not finite are worthless: this one can be moved by nobody. */
const FIXED: AlarmName = 'non-finite'

export type AlarmThresholds = Partial<Record<AlarmName, number | 'off'>>

/** The thresholds that a valid text names; none for no text. */
export function readAlarmThresholds(text: string | undefined): AlarmThresholds {
  const parsed = text === undefined ? {} : parse(text)
  return 'issue' in parsed ? {} : parsed
}

/** A field that holds such a text. */
export const AlarmThresholdsText = z.string().superRefine((text, context) => {
  const parsed = parse(text)
  if ('issue' in parsed) context.addIssue({ code: 'custom', message: parsed.issue })
})

/** What is wrong with a text, in one sentence; else what it says. */
function parse(text: string): AlarmThresholds | { issue: string } {
  const thresholds: AlarmThresholds = {}
  for (const part of text.split(',')) {
    const [name = '', value = '', ...rest] = part.split('=').map((word) => word.trim())
    if (!isAlarm(name))
      return { issue: `expected NAME=NUMBER or NAME=off by commas, with a name of ${movable()}, got ${part.trim()}` }
    if (thresholds[name] !== undefined) return { issue: `${name} is given twice` }
    const number = Number(value)
    if (rest.length > 0 || value === '' || (value !== 'off' && !(Number.isFinite(number) && number >= 0)))
      return { issue: `${name}: expected a number of 0 or more, or off, got ${part.trim()}` }
    thresholds[name] = value === 'off' ? 'off' : number
  }
  return thresholds
}

function isAlarm(name: string): name is AlarmName {
  return name !== FIXED && (ALARMS as readonly string[]).includes(name)
}

function movable(): string {
  return ALARMS.filter((name) => name !== FIXED).join(', ')
}
