// Agreement of annotators beyond chance: percent, Cohen (1960, weighted 1968), Fleiss (1971), Krippendorff's alpha (2011, missing data),
// Gwet's AC1 and AC2 (2008). All but Cohen's need only how many gave each category to each item. Categories are numbers, for distances.
import { DataError } from '#errors'

/** One annotator's category of one item. */
export type Rating = { item: string; annotator: string; value: number }
export type Scale = 'nominal' | 'ordinal' | 'interval'

/** counts_IK: how many gave item i category k. `categories` ascending. */
export type CountTable = { categories: number[]; counts: number[][] }

export function countTable(ratings: readonly Rating[]): CountTable {
  const categories = [...new Set(ratings.map((r) => r.value))].sort((x, y) => x - y)
  const column = new Map(categories.map((value, k) => [value, k]))
  const rows = new Map<string, number[]>()
  for (const { item, value } of ratings) {
    const row = rows.get(item) ?? new Array<number>(categories.length).fill(0)
    row[column.get(value)!]!++
    rows.set(item, row)
  }
  return { categories, counts: [...rows.values()] }
}

/** Mean over items of the share of agreeing pairs of judgements. Items judged once are left out. */
export function percentAgreement({ counts }: CountTable): number {
  return weightedAgreement(counts, (k, l) => (k === l ? 1 : 0))
}

/** Fleiss' kappa, NaN when only one category was ever used; with unequal numbers of judgements each item has equal weight in the chance term (as Gwet 2014 generalises it). */
export function fleissKappa({ counts, categories }: CountTable): number {
  const chance = shares(counts, categories.length).reduce((sum, p) => sum + p * p, 0)
  return (percentAgreement({ counts, categories }) - chance) / (1 - chance)
}

/** Gwet's coefficient: AC1 on a nominal scale; AC2 with linear (ordinal ranks) or quadratic (interval) weights. Robust to skewed prevalence. */
export function gwetAC({ counts, categories }: CountTable, scale: Scale = 'nominal'): number {
  const q = categories.length
  if (q < 2) return 1
  const weight = agreementWeight(categories, scale)
  let total = 0
  for (let k = 0; k < q; k++) for (let l = 0; l < q; l++) total += weight(k, l)
  const spread = shares(counts, q).reduce((sum, p) => sum + p * (1 - p), 0)
  const chance = (total / (q * (q - 1))) * spread
  return (weightedAgreement(counts, weight) - chance) / (1 - chance)
}

/** Krippendorff's alpha = 1 - observed / expected disagreement over pairable values; NaN when only one category was ever used. */
export function krippendorffAlpha({ counts, categories }: CountTable, scale: Scale = 'nominal'): number {
  const q = categories.length
  const totals = new Array<number>(q).fill(0)
  const pairable = counts.filter((row) => sum(row) >= 2)
  for (const row of pairable) for (let k = 0; k < q; k++) totals[k]! += row[k]!
  const n = sum(totals)
  const distance = distances(categories, totals, scale)
  let observed = 0
  for (const row of pairable) {
    let disagreement = 0
    for (let k = 0; k < q; k++)
      if (row[k] !== 0) for (let l = 0; l < k; l++) disagreement += row[k]! * row[l]! * distance[k]![l]!
    observed += disagreement / (sum(row) - 1)
  }
  let expected = 0
  for (let k = 0; k < q; k++) for (let l = 0; l < k; l++) expected += totals[k]! * totals[l]! * distance[k]![l]!
  return 1 - ((n - 1) * observed) / expected
}

/** Cohen's kappa of exactly two annotators over the items both judged, NaN when only one category was ever used; `scale` beyond nominal weighs disagreements (linear, quadratic). */
export function cohenKappa(ratings: readonly Rating[], scale: Scale = 'nominal'): number {
  const annotators = [...new Set(ratings.map((r) => r.annotator))]
  if (annotators.length !== 2)
    throw new DataError(`Cohen's kappa needs exactly two annotators, got ${annotators.length}`)
  const { categories } = countTable(ratings)
  const column = new Map(categories.map((value, k) => [value, k]))
  const second = new Map(
    ratings.filter((r) => r.annotator === annotators[1]).map((r) => [r.item, column.get(r.value)!]),
  )
  const pairs = ratings
    .filter((r) => r.annotator === annotators[0] && second.has(r.item))
    .map((r) => [column.get(r.value)!, second.get(r.item)!] as const)
  if (pairs.length === 0) throw new DataError(`${annotators.join(' and ')} judged no item in common`)
  const weight = agreementWeight(categories, scale)
  const rows = new Array<number>(categories.length).fill(0)
  const columns = new Array<number>(categories.length).fill(0)
  let observed = 0
  for (const [k, l] of pairs) {
    observed += weight(k, l)
    rows[k]!++
    columns[l]!++
  }
  // Counts are divided last: where nothing varies chance is then 1 to the bit, and the coefficient NaN and no rounding error.
  let chance = 0
  for (let k = 0; k < rows.length; k++)
    for (let l = 0; l < rows.length; l++) chance += rows[k]! * columns[l]! * weight(k, l)
  chance /= pairs.length ** 2
  return (observed / pairs.length - chance) / (1 - chance)
}

/** 1 on the diagonal, falling with distance: linear in ranks for an ordinal scale, quadratic in values for an interval scale. */
function agreementWeight(categories: readonly number[], scale: Scale): (k: number, l: number) => number {
  const q = categories.length
  const width = (categories[q - 1] ?? 0) - (categories[0] ?? 0)
  if (scale === 'nominal' || q < 2) return (k, l) => (k === l ? 1 : 0)
  if (scale === 'ordinal') return (k, l) => 1 - Math.abs(k - l) / (q - 1)
  return (k, l) => 1 - ((categories[k]! - categories[l]!) / width) ** 2
}

/** Krippendorff's squared differences. Ordinal: how many values lie between, ends counted half. */
function distances(categories: readonly number[], totals: readonly number[], scale: Scale): number[][] {
  return categories.map((value, k) =>
    categories.map((other, l) => {
      if (k === l) return 0
      if (scale === 'nominal') return 1
      if (scale === 'interval') return (value - other) ** 2
      const [first, last] = k < l ? [k, l] : [l, k]
      return (sum(totals.slice(first, last + 1)) - (totals[first]! + totals[last]!) / 2) ** 2
    }),
  )
}

function weightedAgreement(counts: readonly number[][], weight: (k: number, l: number) => number): number {
  let total = 0
  let items = 0
  for (const row of counts) {
    const r = sum(row)
    if (r < 2) continue
    items++
    for (let k = 0; k < row.length; k++) {
      if (row[k] === 0) continue
      let agreeing = 0
      for (let l = 0; l < row.length; l++) agreeing += weight(k, l) * row[l]!
      total += (row[k]! * (agreeing - 1)) / (r * (r - 1))
    }
  }
  return total / items
}

/** Mean over items of each category's share. */
function shares(counts: readonly number[][], q: number): number[] {
  const result = new Array<number>(q).fill(0)
  for (const row of counts) {
    const r = sum(row)
    for (let k = 0; k < q; k++) result[k]! += row[k]! / r
  }
  // Last, so that of items which are all in one category its share is 1 to the bit.
  return result.map((share) => share / counts.length)
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
