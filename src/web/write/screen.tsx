// Writing demonstrations, one prompt at a time: from an empty box, or over a drafted answer. What is written is saved as it is
// written, here and on the server, and counted in tokens; what a reviewer sent back comes first, with the reason.
import { useParams } from '@tanstack/react-router'
import { useCallback } from 'react'
import type { AnswerOf } from '#server/contract'
import { Guideline } from '../annotate/guideline.tsx'
import { useOutbox } from '../annotate/outbox.ts'
import { Away, NothingLeft, NotYet, useTurns, whyNothing } from '../annotate/turns.tsx'
import { call } from '../api.ts'
import { Due, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { WritingForm } from './form.tsx'

export type Writing = AnswerOf<'POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim'>

export function WriteScreen() {
  const params = useParams({ from: '/signed-in/p/$project/write/$campaign' })
  return <Write key={`${params.project} ${params.campaign}`} {...params} />
}

function Write({ project, campaign }: { project: string; campaign: string }) {
  const claim = useCallback(
    () =>
      call('POST /api/projects/{project}/campaigns/{campaign}/demonstrations/claim', { params: { project, campaign } }),
    [project, campaign],
  )
  const { work, error, load, onWork, onRefused } = useTurns<Writing>(claim)
  const { isAway, setAway } = useOutbox({ load, onRefused })

  if (!work) return <NotYet error={error} isAway={isAway} />
  const { task, guideline, wanted, written, tokensBy, mine } = work
  const last = mine.find(({ state }) => state !== 'undone' && state !== 'surplus')
  const undo = (submission: string): void =>
    void call('POST /api/projects/{project}/campaigns/{campaign}/submissions/{submission}/undo', {
      params: { project, campaign, submission },
    }).then(onWork, onRefused)
  if (!guideline.hasRead)
    return (
      <main id="content" className="page">
        <Guideline
          {...guideline}
          onRead={async () => {
            const params = { project, campaign }
            await call('PUT /api/projects/{project}/campaigns/{campaign}/guideline-read', { params })
            await load()
          }}
        />
      </main>
    )
  return (
    <main id="content" className="page annotate">
      <header className="annotate-head">
        <h1>{work.campaign.name}</h1>
        <p className="soft">
          {written.toLocaleString('en')} of {many(wanted, 'demonstration')} by all
          {work.campaign.deadline !== null && (
            <>
              {' '}
              · <Due at={work.campaign.deadline} />
            </>
          )}
        </p>
        <progress max={Math.max(1, wanted)} value={written} aria-label="Written by all" />
      </header>
      {isAway && <Away />}
      <Problem error={error} />
      {task ? (
        <WritingForm
          key={`${task.id} ${task.returned === null}`}
          task={task}
          guideline={guideline}
          policy={work.campaign.skipPolicy}
          tokensBy={tokensBy}
          params={{ project, campaign, item: task.id }}
          onAway={setAway}
          onWork={onWork}
          onRefused={onRefused}
          onUndo={last?.state === 'waiting' ? () => undo(last.id) : undefined}
        />
      ) : (
        <NothingLeft state={work.campaign.state} project={project} onLook={() => void load()}>
          {whyNothing(work, 'Every prompt has the answers it wants, or is being answered by others.')}
        </NothingLeft>
      )}
      {mine.length > 0 && <Mine mine={mine} onUndo={work.campaign.state === 'open' ? undo : undefined} />}
    </main>
  )
}

const STATES: Record<Writing['mine'][number]['state'], string> = {
  waiting: 'waits for a reviewer',
  accepted: 'accepted',
  returned: 'sent back to you',
  replaced: 'sent back, then written anew',
  'given-up': 'sent back, left to others',
  surplus: 'kept, not counted',
  undone: 'taken back',
}

function Mine({ mine, onUndo }: Pick<Writing, 'mine'> & { onUndo: ((id: string) => void) | undefined }) {
  return (
    <section aria-labelledby="mine">
      <h2 id="mine">Yours</h2>
      <ul className="waits">
        {mine.map(({ id, opening, state, reason }) => (
          <li key={id}>
            <span className="tag">{STATES[state]}</span> {opening}
            {state === 'waiting' && onUndo && (
              <button type="button" className="quiet" onClick={() => onUndo(id)}>
                Take back<span className="unseen"> {opening}</span>
              </button>
            )}
            {reason !== '' && <span className="soft block">{reason}</span>}
          </li>
        ))}
      </ul>
    </section>
  )
}
