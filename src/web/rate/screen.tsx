// Rating one completion, or ranking those of one prompt: one task at a time, from the keyboard.
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useParams } from '@tanstack/react-router'
import { useCallback, useEffect, useState } from 'react'
import { Guideline } from '../annotate/guideline.tsx'
import { call } from '../api.ts'
import { Empty, Loading, Problem } from '../parts.tsx'
import { many } from '../routes/words.ts'
import { RateForm, type Work } from './form.tsx'

export function RateScreen() {
  const params = useParams({ from: '/signed-in/p/$project/rate/$campaign' })
  return <Rate key={`${params.project} ${params.campaign}`} {...params} />
}

function Rate({ project, campaign }: { project: string; campaign: string }) {
  const navigate = useNavigate()
  const [work, setWork] = useState<Work>()
  const [error, setError] = useState<Error | null>(null)
  const queries = useQueryClient()
  // Other screens count what was answered here.
  useEffect(() => () => void queries.invalidateQueries(), [queries])
  const load = useCallback(async () => {
    try {
      const params = { project, campaign }
      setWork(await call('POST /api/projects/{project}/campaigns/{campaign}/answers/claim', { params }))
      setError(null)
    } catch (cause) {
      setError(cause as Error)
    }
  }, [project, campaign])
  useEffect(() => void load(), [load])

  if (!work)
    return error ? (
      <main id="content" className="page">
        <h1>This campaign cannot be opened</h1>
        <Problem error={error} />
      </main>
    ) : (
      <Loading />
    )
  const { task, guideline, mine, wanted, judged, past } = work
  const { name, state, questions } = work.campaign
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
        </p>
        <progress max={Math.max(1, wanted)} value={judged} aria-label="Answered by all" />
      </header>
      <Problem error={error} />
      {task ? (
        <RateForm
          key={`${task.id} ${mine}`}
          task={task}
          questions={questions}
          guideline={guideline}
          past={past}
          params={{ project, campaign, item: task.id }}
          onWork={(next) => {
            setError(null)
            setWork(next)
          }}
          onRefused={async (refusal) => {
            await load()
            setError(refusal)
          }}
        />
      ) : (
        <Empty title={state === 'open' ? 'Nothing is left for you here' : `This campaign is ${state}`}>
          <p>
            {state === 'open'
              ? 'Everything has the answers it wants, or is being answered by others.'
              : 'A lead opens it again when it goes on.'}
          </p>
          <div className="row">
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
