// The keys of the judging screen, as their user wants them: a field for each action takes the next key that is pressed in it.
// A key that another action has is exchanged with it, so that no key ever does two things.
import { type KeyboardEvent, useState } from 'react'
import { ACTION_KEYS, ACTIONS, type Action, KEYS, keysOf, type Settings } from '#schema'
import { nameOfKey } from '../annotate/commands.ts'
import { Problem } from '../parts.tsx'
import { useSettings } from '../settings.ts'

const LABELS: Record<Action, string> = {
  'left-4': 'Left much better',
  'left-3': 'Left better',
  'left-2': 'Left somewhat better',
  'left-1': 'Left slightly better',
  tie: 'Equally good',
  'right-1': 'Right slightly better',
  'right-2': 'Right somewhat better',
  'right-3': 'Right better',
  'right-4': 'Right much better',
  'both-bad': 'Both bad',
  'cannot-judge': 'Cannot judge',
  submit: 'Submit',
  reason: 'Reason',
  highlight: 'Highlight',
  skip: 'Skip',
  flag: 'Flag for the lead',
  undo: 'Undo',
  past: 'Past answers',
  guideline: 'Guideline',
  source: 'Texts as written',
  differences: 'Words that differ',
  together: 'Scroll both together',
  'next-question': 'Next question',
  'question-before': 'Question before',
  shortcuts: 'Shortcuts',
}
/** These lead out of a field, as everywhere. */
const LEAVING = ['Tab', 'Escape', 'Shift', 'Control', 'Alt', 'Meta']

export function ChosenKeys() {
  const { settings, change } = useSettings()
  const [said, setSaid] = useState('')
  const [error, setError] = useState<Error | null>(null)
  const now = keysOf(settings.keys)
  const keep = (keys: Settings['keys'], words: string): void => {
    setSaid(words)
    setError(null)
    change({ keys }).catch(setError)
  }
  const onKey =
    (action: Action) =>
    (event: KeyboardEvent<HTMLInputElement>): void => {
      if (LEAVING.includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      const key = KEYS.find((each) => each.toLowerCase() === event.key.toLowerCase())
      if (key === undefined)
        return setSaid(`${event.key === ' ' ? 'Space' : event.key} cannot be chosen: take a letter, a digit or a mark.`)
      const other = ACTIONS.find((each) => now[each] === key)
      if (other === action) return
      const changed = { ...now, [action]: key, ...(other !== undefined && { [other]: now[action] }) }
      keep(
        differing(changed),
        other === undefined
          ? `${LABELS[action]} is ${nameOfKey(key)} now.`
          : `${LABELS[action]} is ${nameOfKey(key)} now, and ${LABELS[other]} ${nameOfKey(now[action])}.`,
      )
    }
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">Keys for judging pairs</h2>
      <p className="soft">
        Go to a field and press the key you want. Ctrl ↵ submits whatever you choose. Other screens keep their keys.
      </p>
      <div className="chosen-keys">
        {ACTIONS.map((action) => (
          <label key={action} data-own={now[action] !== ACTION_KEYS[action]}>
            {LABELS[action]}
            <input
              className="key"
              readOnly
              value={nameOfKey(now[action])}
              onKeyDown={onKey(action)}
              onFocus={(event) => event.target.select()}
            />
          </label>
        ))}
      </div>
      <p role="status">{said}</p>
      <Problem error={error} />
      <div className="row">
        <button
          type="button"
          disabled={Object.keys(settings.keys).length === 0}
          onClick={() => keep({}, 'All keys are as they come.')}
        >
          Keys as they come
        </button>
      </div>
    </section>
  )
}

/** What is as it comes need not be kept. */
function differing(keys: Record<Action, string>): Settings['keys'] {
  return Object.fromEntries(
    ACTIONS.filter((action) => keys[action] !== ACTION_KEYS[action]).map((action) => [action, keys[action]]),
  )
}
