// Splits by group and never by row: all rows of a customer, patient or repository fall on one side. A group's side is a
// hash of seed and group, so it stays where it is when rows are added; stratified, sides are dealt within each stratum by
// that hash, which keeps proportions in small data but may move groups when rows are added. The plan is hashed: frozen.
import { createHash } from 'node:crypto'
import { ConfigError } from '#errors'
import { canonicalJson, sha256 } from '#files'
import type { Prompt } from '#schema'
import { promptText } from './texts.ts'

export type Splittable = {
  group?: string | undefined
  stratum?: string | undefined
  prompt?: Prompt | undefined
  item?: string | undefined
}
export type SplitOptions = {
  /** Shares by name, adding up to 1; the default is train 0.8, validation 0.1, test 0.1. */
  shares?: Record<string, number>
  seed: number
  /** The field whose rows stay together; without it in any row, rows of the same prompt (or item) stay together. */
  by?: string
  stratified?: boolean
}
export type SplitReport = {
  by: string
  seed: number
  stratified: boolean
  /** SHA-256 of who is where: of the canonical JSON of {group: split}. */
  hash: string
  groups: number
  /** Rows that lack the field and were grouped by their prompt. */
  ungrouped: number
  sizes: Record<string, { rows: number; groups: number; share: number; strata: Record<string, number> }>
}
export type Split<R> = { splits: Record<string, R[]>; report: SplitReport }

const DEFAULT_SHARES = { train: 0.8, validation: 0.1, test: 0.1 }

/** `splitOf`: the name of each row's split. */
export type SplitPlan = { splitOf: string[]; report: SplitReport }

/** Deals rows to named splits. Throws ConfigError when a split would be empty. */
export function splitRows<R extends Splittable>(rows: readonly R[], options: SplitOptions): Split<R> {
  const { splitOf, report } = planSplit(rows, options)
  const splits: Record<string, R[]> = Object.fromEntries(Object.keys(report.sizes).map((name) => [name, []]))
  for (const [i, row] of rows.entries()) splits[splitOf[i]!]!.push(row)
  return { splits, report }
}

/** The same for rows that are not held: says where each belongs. */
export function planSplit(
  rows: Iterable<Splittable>,
  { shares = DEFAULT_SHARES, seed, by = 'group', stratified = false }: SplitOptions,
): SplitPlan {
  checkShares(shares)
  const grouped = groupRows(rows, by)
  const { keys, of, ungrouped } = grouped
  const sides = stratified ? dealByStratum(grouped, shares, seed) : dealByHash(keys, shares, seed)
  const splitOf = of.map((group) => sides[group]!)
  const sizes = sizesOf(Object.keys(shares), { splitOf, sides, strata: grouped.strata })
  const empty = Object.keys(sizes).find((name) => sizes[name]!.rows === 0)
  if (empty !== undefined)
    throw new ConfigError(
      `expected rows for every split, got none for ${empty} out of ${keys.length} groups by ${by}: give more groups, larger shares, or stratified`,
    )
  const hash = hashOf(keys, sides)
  return { splitOf, report: { by, seed, stratified, hash, groups: keys.length, ungrouped, sizes } }
}

function checkShares(shares: Record<string, number>): void {
  const entries = Object.entries(shares)
  const total = entries.reduce((sum, [, share]) => sum + share, 0)
  const wrong = entries.find(([name, share]) => !(share > 0 && share < 1) || !/^[a-z][a-z0-9-]*$/.test(name))
  if (entries.length < 2 || wrong || Math.abs(total - 1) > 1e-9)
    throw new ConfigError(
      `expected two or more named shares between 0 and 1 that add up to 1, got ${JSON.stringify(shares)}`,
    )
}

/** Groups are numbered in order of their first row. `of`: each row's group; `strata`: each row's stratum. */
type Grouped = { keys: string[]; of: number[]; strata: (string | undefined)[]; ungrouped: number }

function groupRows(rows: Iterable<Splittable>, by: string): Grouped {
  const grouped: Grouped = { keys: [], of: [], strata: [], ungrouped: 0 }
  const byKey = new Map<string, number>()
  /** A field that was seen before needs no key made of it. */
  const byField = new Map<string, number>()
  for (const row of rows) {
    const field = fieldOf(row, by)
    let group = field === undefined ? undefined : byField.get(field)
    if (group === undefined) {
      // The prefix keeps a group from being taken for a prompt.
      const key = field === undefined ? otherKeyOf(row) : `${by}:${field}`
      group = byKey.get(key) ?? grouped.keys.push(key) - 1
      byKey.set(key, group)
      if (field !== undefined) byField.set(field, group)
    }
    if (field === undefined) grouped.ungrouped++
    grouped.of.push(group)
    grouped.strata.push(row.stratum)
  }
  return grouped
}

function otherKeyOf(row: Splittable): string {
  return row.prompt === undefined ? `item:${row.item ?? ''}` : `prompt:${sha256(promptText(row.prompt))}`
}

function fieldOf(row: Splittable, by: string): string | undefined {
  const value = (row as Record<string, unknown>)[by]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Uniform in [0, 1), the same for the same seed and group for ever. */
function drawOf(seed: number, group: string): number {
  return Number.parseInt(sha256(`split:${seed}:${group}`).slice(0, 12), 16) / 2 ** 48
}

/** SHA-256 of the canonical JSON of {group: split}: its keys are in the order that they have there. */
function hashOf(keys: string[], sides: string[]): string {
  const order = [...keys.keys()].sort((a, b) => (keys[a]! < keys[b]! ? -1 : 1))
  const whole = createHash('sha256')
  for (const [i, group] of order.entries())
    whole.update(`${i ? ',' : '{'}${canonicalJson(keys[group])}:${canonicalJson(sides[group])}`)
  return whole.update(keys.length ? '}' : '{}').digest('hex')
}

function dealByHash(keys: string[], shares: Record<string, number>, seed: number): string[] {
  const names = Object.keys(shares)
  return keys.map((key) => {
    let reached = 0
    const draw = drawOf(seed, key)
    const side = names.find((name) => {
      reached += shares[name]!
      return draw < reached
    })
    // The shares add up to 1 but for rounding.
    return side ?? names.at(-1)!
  })
}

/** Within each stratum, groups in order of their draw go to the split that lacks most rows. */
function dealByStratum({ keys, of, strata }: Grouped, shares: Record<string, number>, seed: number): string[] {
  const counts = keys.map(() => ({ rows: 0, strata: new Map<string, number>() }))
  for (const [i, group] of of.entries()) {
    const count = counts[group]!
    const stratum = strata[i] ?? ''
    count.rows++
    count.strata.set(stratum, (count.strata.get(stratum) ?? 0) + 1)
  }
  const byStratum = new Map<string, number[]>()
  for (const [group, count] of counts.entries()) {
    const stratum = mostCommon(count.strata)
    const members = byStratum.get(stratum)
    if (members) members.push(group)
    else byStratum.set(stratum, [group])
  }
  const sides: string[] = []
  for (const members of byStratum.values()) {
    const total = members.reduce((n, group) => n + counts[group]!.rows, 0)
    const lack = new Map(Object.entries(shares).map(([name, share]) => [name, share * total]))
    const drawn = members.map((group) => ({ group, draw: drawOf(seed, keys[group]!) })).sort((a, b) => a.draw - b.draw)
    for (const { group } of drawn) {
      const [side, missing] = [...lack].reduce((most, next) => (next[1] > most[1] ? next : most))
      sides[group] = side
      lack.set(side, missing - counts[group]!.rows)
    }
  }
  return sides
}

function mostCommon(counts: Map<string, number>): string {
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0]
}

function sizesOf(
  names: string[],
  { splitOf, sides, strata }: { splitOf: string[]; sides: string[]; strata: (string | undefined)[] },
): SplitReport['sizes'] {
  const sizes: SplitReport['sizes'] = Object.fromEntries(
    names.map((name) => [name, { rows: 0, groups: 0, share: 0, strata: {} }]),
  )
  for (const side of sides) sizes[side]!.groups++
  for (const [i, name] of splitOf.entries()) {
    const size = sizes[name]!
    const stratum = strata[i]
    size.rows++
    if (stratum !== undefined) size.strata[stratum] = (size.strata[stratum] ?? 0) + 1
  }
  for (const size of Object.values(sizes)) size.share = size.rows / splitOf.length
  return sizes
}
