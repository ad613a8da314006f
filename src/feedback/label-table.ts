// Labels in columns: who gave which item which of K classes. The form that the models of annotators (Dawid-Skene, GLAD, MACE)
// work on, a million rows in a few flat arrays. Pairs are K = 2 as seen on the screen: class 0 left, class 1 right.
// I items, A annotators, K classes; arrays named _IK and _AK are row-major.
import { DataError } from '#errors'
import type { Item } from './items.ts'
import type { CoinCounts } from './two-coin.ts'

/** One annotator's class of one item, by name. */
export type Label = { item: string; annotator: string; value: string }

export type LabelTable = {
  items: string[]
  annotators: string[]
  classes: string[]
  /** Per row: which item, which annotator, the class said. */
  item: Int32Array
  annotator: Int32Array
  said: Int32Array
  /** Share of a full answer; absent: 1 each. A tie between two sides is half a row for each. */
  weight?: Float64Array
  /** K = 2 only. 1: this annotator saw the item's classes the other way round, so `said` 0 speaks for the item's class 1. */
  isTurned?: Uint8Array
  /** Per item: its class where gold tells it, else -1. */
  gold?: Int32Array
}

/** What a model makes of a table: a distribution over classes for each item. */
export type LabelFit = {
  posterior_IK: Float64Array
  /** P(this annotator says `said` of this item), the item's class unknown but for its posterior. */
  foretell: (row: { item: number; annotator: number; said: number; isTurned?: boolean }) => number
}

/** Names become numbers in order of first appearance; classes are sorted. @throws DataError when there is no row */
export function tabulate(labels: readonly Label[]): LabelTable {
  if (labels.length === 0) throw new DataError('expected at least one label, got none')
  const items = new Map<string, number>()
  const annotators = new Map<string, number>()
  const classes = [...new Set(labels.map(({ value }) => value))].sort()
  const classOf = new Map(classes.map((name, k) => [name, k]))
  const table = {
    item: new Int32Array(labels.length),
    annotator: new Int32Array(labels.length),
    said: new Int32Array(labels.length),
  }
  labels.forEach(({ item, annotator, value }, row) => {
    table.item[row] = numberIn(items, item)
    table.annotator[row] = numberIn(annotators, annotator)
    table.said[row] = classOf.get(value)!
  })
  return { items: [...items.keys()], annotators: [...annotators.keys()], classes, ...table }
}

/**
 * Votes on pairs, item by item; class 0 of an item is `a`, class 1 is `b`. Cannot-judge makes no row. `known` counts from gold
 * become two items more at the end whose class is certain, one better on the left and one on the right. `annotators` puts people
 * into the table that cast no vote.
 */
export function tabulateVotes(
  items: readonly Item[],
  {
    known,
    annotators: expected = [],
  }: { known?: ReadonlyMap<string, CoinCounts>; annotators?: readonly string[] } = {},
): LabelTable {
  const annotators = new Map<string, number>()
  for (const name of expected) numberIn(annotators, name)
  const rows: { item: number; annotator: number; said: number; weight: number; isTurned: number }[] = []
  const add = (row: (typeof rows)[number]) => void (row.weight > 0 && rows.push(row))
  items.forEach(({ votes }, item) => {
    for (const { annotator: name, isALeft, towardsA } of votes) {
      if (towardsA === undefined) continue
      const annotator = numberIn(annotators, name)
      const isTurned = isALeft ? 0 : 1
      const left = isALeft ? towardsA : 1 - towardsA
      add({ item, annotator, said: 0, weight: left, isTurned })
      add({ item, annotator, said: 1, weight: 1 - left, isTurned })
    }
  })
  const names = items.map(({ item }) => item)
  const gold = new Int32Array(items.length + (known ? 2 : 0)).fill(-1)
  if (known) {
    for (const [name, { left, right }] of known) {
      const annotator = numberIn(annotators, name)
      const [onLeft, onRight] = [items.length, items.length + 1]
      add({ item: onLeft, annotator, said: 0, weight: left.right, isTurned: 0 })
      add({ item: onLeft, annotator, said: 1, weight: left.wrong, isTurned: 0 })
      add({ item: onRight, annotator, said: 1, weight: right.right, isTurned: 0 })
      add({ item: onRight, annotator, said: 0, weight: right.wrong, isTurned: 0 })
    }
    names.push('gold, left is better', 'gold, right is better')
    gold.set([0, 1], items.length)
  }
  return {
    items: names,
    annotators: [...annotators.keys()],
    classes: ['left', 'right'],
    item: Int32Array.from(rows, (row) => row.item),
    annotator: Int32Array.from(rows, (row) => row.annotator),
    said: Int32Array.from(rows, (row) => row.said),
    weight: Float64Array.from(rows, (row) => row.weight),
    isTurned: Uint8Array.from(rows, (row) => row.isTurned),
    ...(known && { gold }),
  }
}

/** The item's class that a row speaks for. */
export function spokenFor({ said, isTurned }: LabelTable, row: number): number {
  return isTurned?.[row] ? 1 - said[row]! : said[row]!
}

/** Shares of the votes: where every model starts. An item without rows is even. */
export function voteShares(table: LabelTable): Float64Array {
  const K = table.classes.length
  const shares_IK = new Float64Array(table.items.length * K)
  for (let row = 0; row < table.item.length; row++)
    shares_IK[table.item[row]! * K + spokenFor(table, row)]! += table.weight?.[row] ?? 1
  normaliseRows(shares_IK, K)
  table.gold?.forEach((k, i) => {
    if (k >= 0) shares_IK.fill(0, i * K, (i + 1) * K)[i * K + k] = 1
  })
  return shares_IK
}

/** Each row of K sums to 1 afterwards; a row of zeros becomes even. */
export function normaliseRows(values: Float64Array, K: number): void {
  for (let at = 0; at < values.length; at += K) {
    let sum = 0
    for (let k = 0; k < K; k++) sum += values[at + k]!
    for (let k = 0; k < K; k++) values[at + k] = sum > 0 ? values[at + k]! / sum : 1 / K
  }
}

/** Joint logs of votes and class to the classes' posterior, row by row, in place; a gold row becomes certain. Answers the log-evidence. */
export function posteriorRows(logs: Float64Array, { classes: { length: K }, gold }: LabelTable): number {
  let evidence = 0
  for (let at = 0; at < logs.length; at += K) {
    const known = gold ? gold[at / K]! : -1
    if (known >= 0) {
      evidence += logs[at + known]!
      for (let k = 0; k < K; k++) logs[at + k] = k === known ? 1 : 0
      continue
    }
    let most = -Infinity
    for (let k = 0; k < K; k++) if (logs[at + k]! > most) most = logs[at + k]!
    let sum = 0
    for (let k = 0; k < K; k++) {
      const e = Math.exp(logs[at + k]! - most)
      logs[at + k] = e
      sum += e
    }
    for (let k = 0; k < K; k++) logs[at + k]! /= sum
    evidence += most + Math.log(sum)
  }
  return evidence
}

function numberIn(names: Map<string, number>, name: string): number {
  const known = names.get(name)
  if (known !== undefined) return known
  names.set(name, names.size)
  return names.size - 1
}
