// The line of nine places and the two answers beside it, as one group of radio buttons: digits pick, arrows move.
import type { ChosenKeys } from '#schema'
import { isAt, LINE, type Made, OFF_LINE, type Place, placesWith } from './answer.ts'
import { nameOfKey } from './commands.ts'

export function Scale({
  made,
  onPick,
  isOff,
  offLine = OFF_LINE,
  name = 'answer',
  question,
  hint,
  chosen: keys = {},
}: {
  made: Pick<Made, 'choice' | 'strength'>
  onPick: (place: Place) => void
  isOff: boolean
  offLine?: readonly Place[]
  /** Of the group, where a page has several. */
  name?: string
  /** Shown where there are several; one alone goes without saying. */
  question?: string
  hint?: string
  /** Keys that its user chose. */
  chosen?: ChosenKeys
}) {
  const option = (place: Place, className: string) => (
    <label key={place.action} className={className} data-chosen={isAt(made, place)}>
      <input
        type="radio"
        name={name}
        checked={isAt(made, place)}
        disabled={isOff}
        onChange={() => onPick(place)}
        aria-label={place.label}
        aria-keyshortcuts={place.key}
      />
      <kbd>{nameOfKey(place.key)}</kbd>
    </label>
  )
  const chosen = [...LINE, ...OFF_LINE].find((place) => isAt(made, place))
  return (
    <fieldset className="scale">
      <legend className={question === undefined ? 'unseen' : 'asked'}>
        {question ?? 'Which is better?'}
        {hint !== undefined && <span className="soft block">{hint}</span>}
      </legend>
      <div className="line">
        <span className="end">Left better</span>
        <div className="places">{placesWith(LINE, keys).map((place) => option(place, `place ${place.choice}`))}</div>
        <span className="end">Right better</span>
      </div>
      <div className="off-line">
        {placesWith(offLine, keys).map((place) => (
          <label key={place.action} className="off" data-chosen={isAt(made, place)}>
            <input
              type="radio"
              name={name}
              checked={isAt(made, place)}
              disabled={isOff}
              onChange={() => onPick(place)}
              aria-keyshortcuts={place.key}
            />
            {place.label} <kbd>{nameOfKey(place.key)}</kbd>
          </label>
        ))}
      </div>
      <p className="chosen" aria-live="polite">
        {chosen ? chosen.label : 'Nothing chosen yet'}
      </p>
    </fieldset>
  )
}
