// Which key does what here, as it is bound now, and where to bind others.
import { Link } from '@tanstack/react-router'
import { type Command, nameOfKey } from './commands.ts'
import { Sheet } from './guideline.tsx'

export function Shortcuts({ commands, onClose }: { commands: readonly Command[]; onClose: () => void }) {
  return (
    <Sheet title="Shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {commands.map(({ key, label, isAlsoWithControl }) => (
          <div key={key}>
            <dt>
              <kbd>{nameOfKey(key)}</kbd>
              {isAlsoWithControl && (
                <>
                  {' '}
                  <kbd>Ctrl ↵</kbd>
                </>
              )}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <p className="hint">Keys are dead while you type, except Ctrl ↵; Escape leaves a field or a dialog.</p>
      <p>
        <Link to="/me">Choose other keys</Link>
      </p>
    </Sheet>
  )
}
