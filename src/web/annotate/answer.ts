// An answer in the making, and the line of nine places on which a preference is given: four steps left, tie, four right.
import type { BodyGiven } from '#server/contract'

export type Submit = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement'
export type Choice = BodyGiven<Submit>['choice']
export type Made = {
  choice?: Choice | undefined
  strength?: number | undefined
  reason?: string | undefined
  /** To the other questions, by criterion. */
  criteria?: Record<string, { choice: Choice; strength?: number | undefined }> | undefined
}

export type Place = { key: string; choice: Choice; strength?: number; label: string }

const DEGREES = ['slightly better', 'somewhat better', 'better', 'much better']

/** In the order of the line; the key of each is the digit of its place. */
export const LINE: Place[] = [
  ...[4, 3, 2, 1].map((strength) => ({ choice: 'left' as const, strength, label: `Left ${DEGREES[strength - 1]!}` })),
  { choice: 'tie' as const, label: 'Equally good' },
  ...[1, 2, 3, 4].map((strength) => ({ choice: 'right' as const, strength, label: `Right ${DEGREES[strength - 1]!}` })),
].map((place, i) => ({ ...place, key: String(i + 1) }))

/** Answers that are no preference. */
export const OFF_LINE: Place[] = [
  { key: '0', choice: 'both-bad', label: 'Both bad' },
  { key: 'x', choice: 'cannot-judge', label: 'Cannot judge' },
]

export function isAt({ choice, strength }: Pick<Made, 'choice' | 'strength'>, place: Place): boolean {
  return choice === place.choice && strength === place.strength
}

/** In words, for the list of past answers. */
export function wordsOf(choice: Choice, strength: number | null): string {
  const place = [...LINE, ...OFF_LINE].find((p) => p.choice === choice && (p.strength ?? null) === strength)
  return place?.label ?? choice
}
