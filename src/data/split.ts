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

/** Deals rows to named splits. Throws ConfigError when a split would be empty. */
export function splitRows<R extends Splittable>(
  rows: readonly R[],
  { shares = DEFAULT_SHARES, seed, by = 'group', stratified = false }: SplitOptions,
): Split<R> {
  checkShares(shares)
  const groups = groupRows(rows, by)
  const sides = stratified ? dealByStratum(groups, shares, seed) : dealByHash(groups, shares, seed)
  const splits: Record<string, R[]> = Object.fromEntries(Object.keys(shares).map((name) => [name, []]))
  for (const row of rows) splits[sides.get(keyOf(row, by))!]!.push(row)
  const empty = Object.keys(splits).find((name) => !splits[name]!.length)
  if (empty !== undefined)
    throw new ConfigError(
      `expected rows for every split, got none for ${empty} out of ${groups.size} groups by ${by}: give more groups, larger shares, or stratified`,
    )
  const sizes = Object.fromEntries(
    Object.entries(splits).map(([name, own]) => [name, sizesOf(own, { by, total: rows.length })]),
  )
  const report = {
    by,
    seed,
    stratified,
    hash: sha256(canonicalJson(Object.fromEntries([...sides].sort(([a], [b]) => (a < b ? -1 : 1))))),
    groups: groups.size,
    ungrouped: rows.filter((row) => fieldOf(row, by) === undefined).length,
    sizes,
  }
  return { splits, report }
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

function groupRows<R extends Splittable>(rows: readonly R[], by: string): Map<string, R[]> {
  const groups = new Map<string, R[]>()
  for (const row of rows) {
    const key = keyOf(row, by)
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return groups
}

/** The prefix keeps a group from being taken for a prompt. */
function keyOf(row: Splittable, by: string): string {
  const value = fieldOf(row, by)
  if (value !== undefined) return `${by}:${value}`
  if (row.prompt !== undefined) return `prompt:${sha256(promptText(row.prompt))}`
  return `item:${row.item ?? ''}`
}

function fieldOf(row: Splittable, by: string): string | undefined {
  const value = (row as Record<string, unknown>)[by]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** Uniform in [0, 1), the same for the same seed and group for ever. */
function drawOf(seed: number, group: string): number {
  return createHash('sha256').update(`split:${seed}:${group}`).digest().readUIntBE(0, 6) / 2 ** 48
}

function dealByHash(
  groups: Map<string, Splittable[]>,
  shares: Record<string, number>,
  seed: number,
): Map<string, string> {
  const names = Object.keys(shares)
  const sides = new Map<string, string>()
  for (const group of groups.keys()) {
    let reached = 0
    const draw = drawOf(seed, group)
    const side = names.find((name) => {
      reached += shares[name]!
      return draw < reached
    })
    // The shares add up to 1 but for rounding.
    sides.set(group, side ?? names.at(-1)!)
  }
  return sides
}

/** Within each stratum, groups in order of their draw go to the split that lacks most rows. */
function dealByStratum(
  groups: Map<string, Splittable[]>,
  shares: Record<string, number>,
  seed: number,
): Map<string, string> {
  const sides = new Map<string, string>()
  const strata = new Map<string, string[]>()
  for (const [group, rows] of groups) {
    const stratum = mostCommon(rows.map((row) => row.stratum ?? ''))
    const members = strata.get(stratum)
    if (members) members.push(group)
    else strata.set(stratum, [group])
  }
  for (const members of strata.values()) {
    const total = members.reduce((n, group) => n + groups.get(group)!.length, 0)
    const lack = new Map(Object.entries(shares).map(([name, share]) => [name, share * total]))
    const drawn = members.map((group) => ({ group, draw: drawOf(seed, group) })).sort((a, b) => a.draw - b.draw)
    for (const { group } of drawn) {
      const [side, missing] = [...lack].reduce((most, next) => (next[1] > most[1] ? next : most))
      sides.set(group, side)
      lack.set(side, missing - groups.get(group)!.length)
    }
  }
  return sides
}

function mostCommon(values: string[]): string {
  const counts = new Map<string, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((most, next) => (next[1] > most[1] ? next : most))[0]
}

function sizesOf(
  rows: readonly Splittable[],
  { by, total }: { by: string; total: number },
): SplitReport['sizes'][string] {
  const strata: Record<string, number> = {}
  for (const { stratum } of rows) if (stratum !== undefined) strata[stratum] = (strata[stratum] ?? 0) + 1
  return {
    rows: rows.length,
    groups: new Set(rows.map((row) => keyOf(row, by))).size,
    share: rows.length / total,
    strata,
  }
}
