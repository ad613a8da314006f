// Judging blind pairs, one at a time, from the keyboard. The guideline is read once; then task after task, each answer on
// disk before the next appears.
import { Link, useParams } from '@tanstack/react-router'
import { useCallback } from 'react'
import { call } from '../api.ts'
import { Due, Empty, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { useMe } from '../who.ts'
import { Guideline } from './guideline.tsx'
import { useOutbox } from './outbox.ts'
import { NotPassed, standingOf } from './qualification.tsx'
import { Revealed } from './suggestion.tsx'
import { TaskForm } from './task.tsx'
import { Away, NothingLeft, NotYet, useTurns, whyNothing } from './turns.tsx'
import type { Work } from './work.ts'

export function AnnotateScreen() {
  const params = useParams({ from: '/signed-in/p/$project/judge/$campaign' })
  return <Judging key={`${params.project} ${params.campaign}`} {...params} />
}

function Judging({ project, campaign }: { project: string; campaign: string }) {
  const me = useMe()
  const claim = useCallback(
    () => call('POST /api/projects/{project}/campaigns/{campaign}/claim', { params: { project, campaign } }),
    [project, campaign],
  )
  const { work, error, load, onWork, onRefused } = useTurns<Work>(claim)
  const { isAway, setAway } = useOutbox({ load, onRefused })

  if (!work) return <NotYet error={error} isAway={isAway} />

  const { task, guideline, qualification, mine, wanted, judged } = work
  const last = work.past[0]
  const undo = (item: string): void =>
    void call('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/reopen', {
      params: { project, campaign, item },
    }).then(onWork, onRefused)
  const isOver = work.campaign.isCalibration && work.campaign.state === 'closed'
  const readGuideline = async (): Promise<void> => {
    await call('PUT /api/projects/{project}/campaigns/{campaign}/guideline-read', { params: { project, campaign } })
    await load()
  }
  if (!guideline.hasRead)
    return (
      <main id="content" className="page">
        <Guideline {...guideline} onRead={readGuideline} />
      </main>
    )
  return (
    <main id="content" className="page annotate">
      <header className="annotate-head">
        <h1>{work.campaign.name}</h1>
        <p className="soft">
          {many(mine, 'answer')} by you · {judged.toLocaleString('en')} of {wanted.toLocaleString('en')} by all
          {work.campaign.deadline !== null && (
            <>
              {' '}
              · <Due at={work.campaign.deadline} />
            </>
          )}
          {standingOf(qualification)}
          {mine > 0 && (
            <>
              {' '}
              ·{' '}
              <Link to="/p/$project/campaigns/$campaign/people/$user" params={{ project, campaign, user: me.id }}>
                mine
              </Link>
            </>
          )}
        </p>
        <progress max={wanted} value={judged} aria-label="Judged by all" />
      </header>
      {isAway && <Away />}
      <Problem error={error} />
      <Revealed revealed={work.revealed} />
      {task ? (
        <TaskForm
          key={task.id}
          task={task}
          guideline={guideline}
          campaign={work.campaign}
          past={work.past}
          params={{ project, campaign, item: task.id }}
          onAway={setAway}
          onWork={onWork}
          onRefused={onRefused}
        />
      ) : qualification?.state === 'failed' ? (
        <NotPassed qualification={qualification} guideline={guideline} onReread={readGuideline} />
      ) : work.isPaused ? (
        <Empty title="You are paused here">
          <p>What you have answered is kept. A lead will talk to you, and lets you go on.</p>
        </Empty>
      ) : (
        <NothingLeft
          state={work.campaign.state}
          project={project}
          onLook={() => void load()}
          onUndo={last && (() => undo(last.id))}
          undoKey={me.settings.keys.undo}
          {...(isOver && { closed: 'The round is over: look at what everybody said.' })}
          act={
            isOver &&
            mine > 0 && (
              <Link to="/p/$project/discuss/$campaign" params={{ project, campaign }} className="button primary">
                Everybody’s answers
              </Link>
            )
          }
        >
          {qualification?.state === 'open'
            ? 'The qualification has no more pairs for you; tell a lead.'
            : whyNothing(work, 'Every pair has the judgements it wants, or is being judged by others.')}
        </NothingLeft>
      )}
    </main>
  )
}
