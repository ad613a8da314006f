// How the texts of a task are shown, as each person has it: markdown as it is meant, as it is written, or with the words that
// differ between the two; and whether two long ones scroll together. Buttons and keys do the same.
import type { Settings } from '#schema'
import { useSettings } from '../settings.ts'
import { type Command, nameOfKey } from './commands.ts'

type View = Settings['view']
const VIEWS: [View, string][] = [
  ['rendered', 'Formatted'],
  ['source', 'As written'],
  ['differences', 'Differences'],
]

/** `m` and `d`, where nobody chose others: pressed again they lead back to the formatted text. */
export function useViewCommands(): Command[] {
  const { settings, change } = useSettings()
  const toggle = (view: View) => (): void =>
    void change({ view: settings.view === view ? 'rendered' : view }).catch(() => {})
  return [
    { action: 'source', key: 'm', label: 'Texts as written', run: toggle('source') },
    { action: 'differences', key: 'd', label: 'Words that differ', run: toggle('differences') },
    {
      action: 'together',
      key: 'y',
      label: 'Scroll both together',
      run: () => void change({ scrollsTogether: !settings.scrollsTogether }).catch(() => {}),
    },
  ]
}

/** Without `isPair` there is nothing to compare and nothing beside. */
export function ViewBar({ isPair = true, keys }: { isPair?: boolean; keys?: Settings['keys'] }) {
  const { settings, change } = useSettings()
  const { view, scrollsTogether } = settings
  const keyOf = { rendered: undefined, source: keys?.source ?? 'm', differences: keys?.differences ?? 'd' }
  const shown = isPair ? VIEWS : VIEWS.slice(0, 2)
  return (
    <div className="view-bar" role="group" aria-label="How texts are shown">
      {shown.map(([name, label]) => (
        <button
          key={name}
          type="button"
          className="quiet"
          aria-pressed={view === name || (!isPair && name === 'source' && view === 'differences')}
          onClick={() => void change({ view: name }).catch(() => {})}
        >
          {label} {keys && keyOf[name] !== undefined && <kbd>{nameOfKey(keyOf[name])}</kbd>}
        </button>
      ))}
      {isPair && (
        <button
          type="button"
          className="quiet together"
          aria-pressed={scrollsTogether}
          onClick={() => void change({ scrollsTogether: !scrollsTogether }).catch(() => {})}
        >
          Scroll together {keys && <kbd>{nameOfKey(keys.together ?? 'y')}</kbd>}
        </button>
      )}
    </div>
  )
}
