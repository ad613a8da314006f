// What a part of the trial says: figures for people, and what should not have been.
export type Outcome = { figures: string[]; failures: string[] }
export const milliseconds = (value: number): string => `${value.toFixed(0)} ms`

/** One line of failure where what came is not what was expected. */
export function compare(failures: string[], what: string, got: unknown, expected: unknown): void {
  const [came, wanted] = [JSON.stringify(got), JSON.stringify(expected)]
  if (came !== wanted) failures.push(`${what}: expected ${wanted}, got ${came}`)
}
