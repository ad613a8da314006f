// Rating one completion, or ranking those of one prompt: one task at a time, from the keyboard.
import { useParams } from '@tanstack/react-router'
import { useCallback } from 'react'
import { Guideline } from '../annotate/guideline.tsx'
import { useOutbox } from '../annotate/outbox.ts'
import { Away, NothingLeft, NotYet, useTurns, whyNothing } from '../annotate/turns.tsx'
import { call } from '../api.ts'
import { Due, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { RateForm, type Work } from './form.tsx'

export function RateScreen() {
  const params = useParams({ from: '/signed-in/p/$project/rate/$campaign' })
  return <Rate key={`${params.project} ${params.campaign}`} {...params} />
}

function Rate({ project, campaign }: { project: string; campaign: string }) {
  const claim = useCallback(
    () => call('POST /api/projects/{project}/campaigns/{campaign}/answers/claim', { params: { project, campaign } }),
    [project, campaign],
  )
  const { work, error, load, onWork, onRefused } = useTurns<Work>(claim)
  const { isAway, setAway } = useOutbox({ load, onRefused })

  if (!work) return <NotYet error={error} isAway={isAway} />
  const { task, guideline, mine, wanted, judged, past } = work
  const { name, state, questions } = work.campaign
  const last = past[0]
  const undo = (item: string): void =>
    void call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/answer-reopen', {
      params: { project, campaign, item },
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
        <h1>{name}</h1>
        <p className="soft">
          {many(mine, 'answer')} by you · {judged.toLocaleString('en')} of {wanted.toLocaleString('en')} by all
          {work.campaign.deadline !== null && (
            <>
              {' '}
              · <Due at={work.campaign.deadline} />
            </>
          )}
        </p>
        <progress max={Math.max(1, wanted)} value={judged} aria-label="Answered by all" />
      </header>
      {isAway && <Away />}
      <Problem error={error} />
      {task ? (
        <RateForm
          key={`${task.id} ${mine}`}
          task={task}
          questions={questions}
          policy={work.campaign.skipPolicy}
          guideline={guideline}
          past={past}
          params={{ project, campaign, item: task.id }}
          onAway={setAway}
          onWork={onWork}
          onRefused={onRefused}
        />
      ) : (
        <NothingLeft state={state} project={project} onLook={() => void load()} onUndo={last && (() => undo(last.id))}>
          {whyNothing(work, 'Everything has the answers it wants, or is being answered by others.')}
        </NothingLeft>
      )}
    </main>
  )
}
