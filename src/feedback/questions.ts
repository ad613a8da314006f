// Rows of several questions lie in one file: the overall one, and one by each criterion that was asked about beside it.
import type { Judgement } from '#schema'

/**
 * The rows that answer one question: that of the criterion where one is named, else the overall one. Rows that all name a
 * criterion are left as they are: whether it is one and the same is for whoever gathers them to say.
 */
export function rowsOfQuestion<Row extends Pick<Judgement, 'criterion'>>(
  rows: readonly Row[],
  criterion?: string,
): Row[] {
  const asked = rows.filter((row) => row.criterion === criterion)
  return asked.length > 0 || criterion !== undefined ? asked : [...rows]
}
