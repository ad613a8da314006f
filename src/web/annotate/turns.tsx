// What every screen of one task at a time shares: the work that is claimed, what stands where it cannot be had, and the end.
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type ReactNode, useCallback, useEffect, useState } from 'react'
import { Empty, Loading, Problem } from '../parts.tsx'
import { nameOfKey, useCommands } from './commands.ts'

/** `claim` is kept stable by its caller; it is called when `load` is, and not before. */
export function useTurns<Work>(claim: () => Promise<Work>) {
  const [work, setWork] = useState<Work>()
  const [error, setError] = useState<Error | null>(null)
  const queries = useQueryClient()
  // Other screens count what was given here.
  useEffect(() => () => void queries.invalidateQueries(), [queries])
  const load = useCallback(async () => {
    try {
      setWork(await claim())
      setError(null)
    } catch (cause) {
      setError(cause as Error)
    }
  }, [claim])
  const onWork = useCallback((next: Work): void => {
    setError(null)
    setWork(next)
  }, [])
  const onRefused = useCallback(
    async (refusal: Error): Promise<void> => {
      await load()
      setError(refusal)
    },
    [load],
  )
  return { work, error, load, onWork, onRefused }
}

/** Before there is any work. */
export function NotYet({ error, isAway }: { error: Error | null; isAway: boolean }) {
  if (error)
    return (
      <main id="content" className="page">
        <h1>This campaign cannot be opened</h1>
        <Problem error={error} />
      </main>
    )
  return (
    <>
      <Loading />
      {isAway && <Away />}
    </>
  )
}

/** Above the task, while its answer waits for the server. */
export function Away() {
  return (
    <p className="away" role="status">
      The server cannot be reached. Your answer is kept on this device and is sent as soon as it can.
    </p>
  )
}

/** Why nothing is left for somebody, where it is not that all is done: `otherwise`. */
export function whyNothing(
  { isAtLimit, campaign }: { isAtLimit: boolean; campaign: { isManual: boolean } },
  otherwise: string,
): string {
  if (isAtLimit) return 'You have given all that one person may give to this campaign.'
  if (campaign.isManual) return 'All that was assigned to you is done; a lead assigns more.'
  return otherwise
}

/** `children`: why, while the campaign is open; `closed`: what to know instead of that a lead may open it again; `act`: what to do first. */
export function NothingLeft({
  state,
  project,
  closed = 'A lead opens it again when it goes on.',
  act,
  onUndo,
  undoKey = 'u',
  onLook,
  children,
}: {
  state: string
  project: string
  closed?: string
  act?: ReactNode
  /** Takes back the last answer; undefined: there is none, or it stays. */
  onUndo?: (() => void) | undefined
  undoKey?: string | undefined
  onLook: () => void
  children: ReactNode
}) {
  const navigate = useNavigate()
  const isOpen = state === 'open'
  const mayUndo = isOpen && onUndo !== undefined
  useCommands([{ key: undoKey, label: 'Undo', run: () => onUndo?.(), isOff: !mayUndo }], false)
  return (
    <Empty title={isOpen ? 'Nothing is left for you here' : `This campaign is ${state}`}>
      <p>{isOpen ? children : closed}</p>
      <div className="row">
        {act}
        {mayUndo && (
          <button type="button" onClick={onUndo} aria-keyshortcuts={undoKey}>
            Undo the last answer <kbd>{nameOfKey(undoKey)}</kbd>
          </button>
        )}
        <button type="button" onClick={onLook}>
          Look again
        </button>
        <button type="button" onClick={() => void navigate({ to: '/p/$project', params: { project } })}>
          Project home
        </button>
      </div>
    </Empty>
  )
}
