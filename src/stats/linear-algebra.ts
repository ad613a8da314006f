// Small dense systems for the fits of this room: Gauss-Jordan with partial pivoting, row-major arrays of rows.
import { DataError } from '#errors'

/** Inverse of a square matrix; a singular one is a DataError saying what that means for a fit. */
export function inverse(matrix: readonly (readonly number[])[]): number[][] {
  const n = matrix.length
  const rows = matrix.map((row, i) => [...row, ...Array.from({ length: n }, (_, j) => (i === j ? 1 : 0))])
  const scale = Math.max(...matrix.flat().map(Math.abs), 1e-300)
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let i = column + 1; i < n; i++) if (Math.abs(rows[i]![column]!) > Math.abs(rows[pivot]![column]!)) pivot = i
    if (Math.abs(rows[pivot]![column]!) < 1e-13 * scale)
      throw new DataError('the data do not determine the fit: two columns say the same, or one never varies')
    ;[rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!]
    const lead = rows[column]!
    const divisor = lead[column]!
    for (let j = 0; j < 2 * n; j++) lead[j]! /= divisor
    for (let i = 0; i < n; i++) {
      const factor = rows[i]![column]!
      if (i === column || factor === 0) continue
      for (let j = 0; j < 2 * n; j++) rows[i]![j]! -= factor * lead[j]!
    }
  }
  return rows.map((row) => row.slice(n))
}

export function multiply(matrix: readonly (readonly number[])[], vector: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, x, j) => sum + x * vector[j]!, 0))
}
