// Intervals say at which level they were computed, so that who asks for another is never answered with theirs: each bears
// its level, and in `further` its ends at the other levels that somebody asks for. Intervals are found in any tree of statistics.
import { invariant } from '#errors'
import type { Objective } from '#schema'

export type Levelled = { level?: number; further?: { level: number; low: number; high: number }[] }

/** What `measure` finds at the first level, its intervals with their ends at the others beside. */
export function atLevels<T>(levels: readonly number[], measure: (level: number) => T): T {
  const [own, ...others] = new Set(levels)
  invariant(own !== undefined, 'statistics are computed at one level at least')
  const further = others.map((level) => ({ level, statistics: measure(level) as unknown }))
  return withFurther(measure(own), own, further) as T
}

/** The levels that the targets of an objective ask for. */
export function levelsOfTargets({ criteria }: Objective): number[] {
  return [...new Set(criteria.flatMap(({ targets }) => targets.map(({ level }) => level)))]
}

/** Every interval of a tree with `facts`; what it says of itself wins. */
export function markIntervals(statistics: unknown, facts: Record<string, unknown>): unknown {
  if (Array.isArray(statistics)) return statistics.map((row) => markIntervals(row, facts))
  if (!isRecord(statistics)) return statistics
  if (isInterval(statistics)) return { ...facts, ...statistics }
  return mapValues(statistics, (inner) => markIntervals(inner, facts))
}

type Further = { level: number; statistics: unknown }[]

function withFurther(statistics: unknown, level: number, further: Further): unknown {
  const inner = (key: string | number, value: unknown) =>
    withFurther(
      value,
      level,
      further.map((other) => ({ ...other, statistics: (other.statistics as Record<string | number, unknown>)[key] })),
    )
  if (Array.isArray(statistics)) return statistics.map((row, i) => inner(i, row))
  if (!isRecord(statistics)) return statistics
  if (!isInterval(statistics)) return mapValues(statistics, (value, key) => inner(key, value))
  const ends = further.map((other) => {
    const { low, high } = other.statistics as { low: number; high: number }
    return { level: other.level, low, high }
  })
  return { ...statistics, level, ...(ends.length > 0 && { further: ends }) }
}

function mapValues(record: Record<string, unknown>, of: (value: unknown, key: string) => unknown) {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, of(value, key)]))
}

/** Ends that are not finite are null once they were written as JSON. */
function isInterval(record: Record<string, unknown>): boolean {
  return typeof record.value === 'number' && Object.hasOwn(record, 'low') && Object.hasOwn(record, 'high')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
