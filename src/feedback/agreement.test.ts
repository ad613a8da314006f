// Published worked examples; each names its source.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  cohenKappa,
  countTable,
  fleissKappa,
  gwetAC,
  krippendorffAlpha,
  percentAgreement,
  type Rating,
} from './agreement.ts'

/** One line an annotator, one column an item, '.' is missing. */
function fromLines(lines: string[]): Rating[] {
  return lines.flatMap((line, a) =>
    line.split(' ').flatMap((v, i) => (v === '.' ? [] : [{ item: `u${i}`, annotator: `r${a}`, value: Number(v) }])),
  )
}

/** A square table of two annotators' counts. */
function fromTable(table: number[][]): Rating[] {
  const ratings: Rating[] = []
  table.forEach((row, x) =>
    row.forEach((n, y) => {
      for (let i = 0; i < n; i++) {
        const item = `${x}-${y}-${i}`
        ratings.push({ item, annotator: 'first', value: x }, { item, annotator: 'second', value: y })
      }
    }),
  )
  return ratings
}

// Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", part C: four observers, twelve units, missing data.
const krippendorff = countTable(
  fromLines([
    '1 2 3 3 2 1 4 1 2 . . .',
    '1 2 3 3 2 2 4 1 2 5 . 3',
    '. 3 3 3 2 3 4 2 2 5 1 .',
    '1 2 3 3 2 4 4 1 2 5 1 .',
  ]),
)

test("Krippendorff's own example, on three scales", () => {
  expect(krippendorffAlpha(krippendorff)).toBeCloseTo(0.743, 3)
  expect(krippendorffAlpha(krippendorff, 'ordinal')).toBeCloseTo(0.815, 3)
  expect(krippendorffAlpha(krippendorff, 'interval')).toBeCloseTo(0.849, 3)
})

test("the same data in Gwet's R package irrCAC (raw4raters): AC1 0.77544, Fleiss 0.76117, agreement 0.81818", () => {
  expect(gwetAC(krippendorff)).toBeCloseTo(0.77544, 5)
  expect(fleissKappa(krippendorff)).toBeCloseTo(0.76117, 5)
  expect(percentAgreement(krippendorff)).toBeCloseTo(0.81818, 5)
  expect(gwetAC(krippendorff, 'interval')).toBeGreaterThan(gwetAC(krippendorff, 'ordinal'))
})

test('Fleiss 1971: thirty patients, six psychiatrists, five diagnoses, kappa 0.430', () => {
  const patients = [
    '444444',
    '222555',
    '233335',
    '555555',
    '222444',
    '113333',
    '333355',
    '113334',
    '114444',
    '555555',
    '144444',
    '124444',
    '222333',
    '144444',
    '224445',
    '333335',
    '111455',
    '111112',
    '224444',
    '133555',
    '555555',
    '244444',
    '224555',
    '114444',
    '144445',
    '222224',
    '111155',
    '224444',
    '133333',
    '555555',
  ]
  const ratings = patients.flatMap((row, i) =>
    Array.from(row, (value, a) => ({ item: `${i}`, annotator: `${a}`, value: Number(value) })),
  )
  expect(fleissKappa(countTable(ratings))).toBeCloseTo(0.43, 3)
})

test('Cohen: Siskel and Ebert on 160 films (Agresti and Winner 1997), kappa 0.389', () => {
  const films = fromTable([
    [24, 8, 13],
    [8, 13, 11],
    [10, 9, 64],
  ])
  expect(cohenKappa(films)).toBeCloseTo(0.389, 3)
  expect(cohenKappa(films, 'interval')).toBeGreaterThan(cohenKappa(films, 'ordinal'))
  expect(cohenKappa(films, 'ordinal')).toBeGreaterThan(cohenKappa(films))
})

test('Gwet 2002: 118 of 125 agree on the common category, kappa is below 0, AC1 0.941', () => {
  const skewed = fromTable([
    [118, 5],
    [2, 0],
  ])
  expect(cohenKappa(skewed)).toBeCloseTo(-0.0234, 4)
  expect(gwetAC(countTable(skewed))).toBeCloseTo(0.9408, 4)
})

test('two annotators without missing data: alpha nears Fleiss as items grow; perfect agreement is 1 everywhere', () => {
  const table = countTable(
    fromTable([
      [400, 100],
      [80, 420],
    ]),
  )
  expect(krippendorffAlpha(table)).toBeCloseTo(fleissKappa(table), 2)
  const perfect = fromTable([
    [7, 0],
    [0, 5],
  ])
  for (const coefficient of [percentAgreement, fleissKappa, gwetAC, krippendorffAlpha])
    expect(coefficient(countTable(perfect))).toBeCloseTo(1, 12)
  expect(cohenKappa(perfect)).toBeCloseTo(1, 12)
})

test('what divides by chance is not defined where nothing ever varies, however many items there are', () => {
  for (let items = 1; items <= 60; items++) {
    const always = fromLines([1, 2].map(() => Array(items).fill('1').join(' ')))
    // The other category was seen elsewhere, as in a resample that missed it.
    const { counts } = countTable(always)
    const table = { categories: [0, 1], counts: counts.map(([n]) => [0, n!]) }
    for (const coefficient of [fleissKappa(table), krippendorffAlpha(table), cohenKappa(always)])
      expect(coefficient, `${items} items`).toBeNaN()
    expect(gwetAC(table)).toBe(1)
  }
})

test("Cohen's kappa wants two annotators who met", () => {
  expect(() => cohenKappa(fromLines(['1', '1', '1']))).toThrow(/exactly two annotators, got 3/)
  expect(() => cohenKappa(fromLines(['1 .', '. 1']))).toThrow(/no item in common/)
})

type Golden = { rows: [number, number, number][] } & Partial<
  Record<'nominal' | 'ordinal' | 'interval' | 'fleiss' | 'cohen' | 'cohenLinear' | 'cohenQuadratic', number>
>
const goldens = JSON.parse(readFileSync(join(import.meta.dirname, 'goldens/agreement.json'), 'utf8')) as Record<
  string,
  Golden
>

test.each(Object.entries(goldens))('the krippendorff and statsmodels packages on %s, within 1e-8', (_, golden) => {
  const ratings = golden.rows.map(([i, a, value]) => ({ item: `${i}`, annotator: `${a}`, value }))
  const table = countTable(ratings)
  const close = (got: number, want: number) => expect(Math.abs(got - want)).toBeLessThan(1e-8)
  for (const scale of ['nominal', 'ordinal', 'interval'] as const)
    close(krippendorffAlpha(table, scale), golden[scale]!)
  if (golden.fleiss !== undefined) close(fleissKappa(table), golden.fleiss)
  if (golden.cohen === undefined) return
  close(cohenKappa(ratings), golden.cohen)
  close(cohenKappa(ratings, 'ordinal'), golden.cohenLinear!)
  close(cohenKappa(ratings, 'interval'), golden.cohenQuadratic!)
})
