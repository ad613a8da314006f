// An answer in the making, and the line of nine places on which a preference is given: four steps left, tie, four right.
import type { Action, ChosenKeys, Highlight } from '#schema'
import type { BodyGiven } from '#server/contract'

export type Submit = 'POST /api/projects/{project}/campaigns/{campaign}/items/{item}/judgement'
export type Choice = BodyGiven<Submit>['choice']
export type Made = {
  choice?: Choice | undefined
  strength?: number | undefined
  reason?: string | undefined
  /** To the other questions, by criterion. */
  criteria?: Record<string, { choice: Choice; strength?: number | undefined }> | undefined
  highlights?: Highlight[] | undefined
}

export type Place = { action: Action; key: string; choice: Choice; strength?: number; label: string }

const DEGREES = ['slightly better', 'somewhat better', 'better', 'much better']

const STRENGTHS = [1, 2, 3, 4] as const
const placeOf =
  (choice: 'left' | 'right', side: string) =>
  (strength: (typeof STRENGTHS)[number]): Omit<Place, 'key'> => ({
    action: `${choice}-${strength}`,
    choice,
    strength,
    label: `${side} ${DEGREES[strength - 1]!}`,
  })

/** In the order of the line; the key of each is the digit of its place, where its user chose no other. */
export const LINE: Place[] = [
  ...STRENGTHS.map(placeOf('left', 'Left')).reverse(),
  { action: 'tie' as const, choice: 'tie' as const, label: 'Equally good' },
  ...STRENGTHS.map(placeOf('right', 'Right')),
].map((place, i) => ({ ...place, key: String(i + 1) }))

/** Answers that are no preference. */
export const OFF_LINE: Place[] = [
  { action: 'both-bad', key: '0', choice: 'both-bad', label: 'Both bad' },
  { action: 'cannot-judge', key: 'x', choice: 'cannot-judge', label: 'Cannot judge' },
]

/** The same places by the keys that somebody chose. */
export function placesWith(places: readonly Place[], chosen: ChosenKeys): Place[] {
  return places.map((place) => ({ ...place, key: chosen[place.action] ?? place.key }))
}

/** How one chooses, in words. */
export function keysOfPlaces(chosen: ChosenKeys): string {
  const isAsItComes = [...LINE, ...OFF_LINE].every(({ action, key }) => (chosen[action] ?? key) === key)
  return isAsItComes ? '1 to 9, 0 or x' : 'the key of each place stands on it'
}

export function isAt({ choice, strength }: Pick<Made, 'choice' | 'strength'>, place: Place): boolean {
  return choice === place.choice && strength === place.strength
}

/** In words, for the list of past answers. */
export function wordsOf(choice: Choice, strength: number | null): string {
  const place = [...LINE, ...OFF_LINE].find((p) => p.choice === choice && (p.strength ?? null) === strength)
  return place?.label ?? choice
}
