// Ratings of several models in words: as judged beside style controlled, what judges liked in style, and who won against whom.
import type { ModelRatings } from '#evaluate'
import type { Interval } from '#stats'

/** A table of each such figure among statistics, headed by its criterion where it has one. */
export function ratingLines(statistics: Record<string, unknown>, anchor: string): string[] {
  const all = isRatings(statistics) ? linesOf(statistics, anchor) : []
  const byCriterion = Object.entries(statistics).flatMap(([name, of]) =>
    typeof of === 'object' && of !== null && isRatings(of) ? [`by ${name}:`, ...linesOf(of, anchor)] : [],
  )
  return [...all, ...byCriterion]
}

function isRatings(value: object): value is ModelRatings {
  return 'controlled' in value && 'win-rates' in value
}

function linesOf(
  { ratings, implied, controlled, style, 'win-rates': rates, warning }: ModelRatings,
  anchor: string,
): string[] {
  const [models, pairs] = [ratings, rates].map((rows) => Math.max(8, ...rows.map(({ name }) => name.length)) + 2) as [
    number,
    number,
  ]
  const row = (name: string, cells: string[]) =>
    `${name.padEnd(models)}${cells.map((cell) => cell.padEnd(26)).join('')}`
  const find = (rows: { name: string }[], name: string) => {
    const found = rows.find((each) => each.name === name) as Interval | undefined
    return found ? ends(found) : ''
  }
  return [
    row('rating', ['as judged', 'style controlled', `over ${anchor}`, `over ${anchor}, controlled`]).trimEnd(),
    ...ratings.map(({ name, ...rating }) =>
      row(name, [
        ends(rating),
        find(controlled.ratings, name),
        find(implied, name),
        find(controlled.implied, name),
      ]).trimEnd(),
    ),
    ...(style.length === 0
      ? ['answers do not differ in length or markdown: control changes nothing']
      : ['liked for its style, logits for one standard deviation of the difference:']),
    ...style.map((effect) => `${effect.name.padEnd(models)}${ends(effect)}`),
    'win rates as judged:',
    ...rates.map(
      (rate) =>
        `${rate.name.padEnd(pairs)}${ends(rate).padEnd(26)}${rate.wins} won, ${rate.losses} lost, ${rate.ties} tied`,
    ),
    ...(warning === undefined ? [] : [warning]),
  ]
}

function ends({ value, low, high }: Interval): string {
  return `${value.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}
