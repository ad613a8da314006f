// Judging blind pairs, one at a time, from the keyboard. The guideline is read once; then task after task, each answer on
// disk before the next appears.
import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useCallback, useEffect, useRef, useState } from 'react'
import { call } from '../api.ts'
import { Empty, Loading, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { useMe } from '../who.ts'
import { Guideline } from './guideline.tsx'
import { send, waiting } from './outbox.ts'
import { NotPassed, standingOf } from './qualification.tsx'
import { TaskForm } from './task.tsx'
import type { Work } from './work.ts'

export function AnnotateScreen() {
  const params = useParams({ from: '/signed-in/p/$project/judge/$campaign' })
  return <Judging key={`${params.project} ${params.campaign}`} {...params} />
}

function Judging({ project, campaign }: { project: string; campaign: string }) {
  const me = useMe()
  const navigate = useNavigate()
  const [work, setWork] = useState<Work>()
  const [error, setError] = useState<Error | null>(null)
  const [isAway, setAway] = useState(false)
  const isFirst = useRef(true)
  const queries = useQueryClient()
  // Other screens count what was judged here.
  useEffect(() => () => void queries.invalidateQueries(), [queries])

  const load = useCallback(async () => {
    try {
      setWork(await call('POST /api/projects/{project}/campaigns/{campaign}/claim', { params: { project, campaign } }))
      setError(null)
    } catch (cause) {
      setError(cause as Error)
    }
  }, [project, campaign])

  useEffect(() => {
    if (!isFirst.current) return
    isFirst.current = false
    // What an earlier page could not send goes first; the task waits for one attempt, and comes anew when it went through.
    const entries = waiting(me.id)
    if (entries.length === 0) void load()
    for (const entry of entries) {
      let isLate = false
      const onWait = (isAway: boolean): void => {
        setAway(isAway)
        if (isAway && !isLate) void load()
        isLate ||= isAway
      }
      void send(entry, onWait)
        .then(
          () => null,
          (refusal: Error) => new Error(`An answer that was kept on this device: ${refusal.message}`),
        )
        .then(async (refusal) => {
          await load()
          if (refusal) setError(refusal)
        })
    }
  }, [load, me.id])

  if (!work)
    return error ? (
      <main id="content" className="page">
        <h1>This campaign cannot be opened</h1>
        <Problem error={error} />
      </main>
    ) : (
      <>
        <Loading />
        {isAway && <Away />}
      </>
    )

  const { task, guideline, qualification, mine, wanted, judged } = work
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
      {task ? (
        <TaskForm
          key={task.id}
          task={task}
          guideline={guideline}
          criteria={work.campaign.criteria}
          past={work.past}
          params={{ project, campaign, item: task.id }}
          onAway={setAway}
          onWork={(next) => {
            setError(null)
            setWork(next)
          }}
          onRefused={async (refusal) => {
            await load()
            setError(refusal)
          }}
        />
      ) : qualification?.state === 'failed' ? (
        <NotPassed qualification={qualification} guideline={guideline} onReread={readGuideline} />
      ) : work.isPaused ? (
        <Empty title="You are paused here">
          <p>What you have answered is kept. A lead will talk to you, and lets you go on.</p>
        </Empty>
      ) : (
        <Empty
          title={
            work.campaign.state === 'open' ? 'Nothing is left for you here' : `This campaign is ${work.campaign.state}`
          }
        >
          <p>
            {work.campaign.state === 'open'
              ? qualification?.state === 'open'
                ? 'The qualification has no more pairs for you; tell a lead.'
                : 'Every pair has the judgements it wants, or is being judged by others.'
              : work.campaign.isCalibration && work.campaign.state === 'closed'
                ? 'The round is over: look at what everybody said.'
                : 'A lead opens it again when it goes on.'}
          </p>
          <div className="row">
            {work.campaign.isCalibration && work.campaign.state === 'closed' && mine > 0 && (
              <Link to="/p/$project/discuss/$campaign" params={{ project, campaign }} className="button primary">
                Everybody’s answers
              </Link>
            )}
            <button type="button" onClick={() => void load()}>
              Look again
            </button>
            <button type="button" onClick={() => void navigate({ to: '/p/$project', params: { project } })}>
              Project home
            </button>
          </div>
        </Empty>
      )}
    </main>
  )
}

function Away() {
  return (
    <p className="away" role="status">
      The server cannot be reached. Your answer is kept on this device and is sent as soon as it can.
    </p>
  )
}
