// A calibration round after it was closed: each pair with everybody's answers side by side, the ones people differ on first,
// and what they have to say about it.
import { useParams } from '@tanstack/react-router'
import { type FormEvent, useRef, useState } from 'react'
import type { AnswerOf } from '#server/contract'
import { wordsOf } from '../annotate/answer.ts'
import { Pair } from '../annotate/pair.tsx'
import { ViewBar } from '../annotate/view.tsx'
import { AnswerLine } from '../answer-line.tsx'
import { useGet, useWrite } from '../api.ts'
import { Empty, Field, Loading, Problem, Time } from '../parts.tsx'
import { many } from './words.ts'

const KEY = 'GET /api/projects/{project}/campaigns/{campaign}/discussion'
type Item = AnswerOf<typeof KEY>['items'][number]
type Params = { project: string; campaign: string }

export function DiscussionScreen() {
  const params = useParams({ from: '/signed-in/p/$project/discuss/$campaign' })
  const [isAll, setAll] = useState(false)
  const discussion = useGet(KEY, { params }, { refetchInterval: 5000 })
  if (discussion.isPending) return <Loading />
  if (discussion.isError)
    return (
      <main id="content" className="page">
        <h1>This round cannot be talked about</h1>
        <Problem error={discussion.error} />
      </main>
    )
  const { campaign, people, items } = discussion.data
  const apart = items.filter(({ isAgreed }) => !isAgreed)
  const shown = isAll ? items : apart
  return (
    <main id="content" className="page">
      <h1>{campaign.name}</h1>
      <p className="lead">
        {people} {people === 1 ? 'person' : 'people'} answered {many(items.length, 'pair')}; on {apart.length} of them
        they differ.
      </p>
      <div className="row" role="group" aria-label="Which pairs">
        <button type="button" aria-pressed={!isAll} onClick={() => setAll(false)}>
          Where people differ {apart.length}
        </button>
        <button type="button" aria-pressed={isAll} onClick={() => setAll(true)}>
          All {items.length}
        </button>
      </div>
      <ViewBar />
      {shown.length === 0 && (
        <Empty title="Everybody said the same">
          <p>Of every pair. All of them are a click away.</p>
        </Empty>
      )}
      {shown.map((item) => (
        <Discussed key={item.id} item={item} params={params} />
      ))}
    </main>
  )
}

function Discussed({ item, params }: { item: Item; params: Params }) {
  const { id, prompt, left, right, answers, remarks } = item
  return (
    <article className="panel discussed" aria-label={`Pair with ${many(answers.length, 'answer')}`}>
      <Pair prompt={prompt} left={left} right={right} />
      <AnswerLine
        answers={answers.map(({ person, isMine, choice, strength }) => ({
          person: isMine ? 'you' : person,
          choice,
          strength,
        }))}
      />
      <ul className="said">
        {answers.map(({ person, isMine, choice, strength, criteria, reason }) => (
          <li key={person}>
            <b>{isMine ? 'You' : person}</b>: {wordsOf(choice, strength)}
            {criteria.length > 0 && (
              <span className="soft">
                {' '}
                ({criteria.map((each) => `${each.criterion}: ${wordsOf(each.choice, each.strength)}`).join('; ')})
              </span>
            )}
            {reason !== '' && <span className="soft">, {reason}</span>}
          </li>
        ))}
      </ul>
      {remarks.length > 0 && (
        <ul className="remarks">
          {remarks.map(({ id: remark, person, isMine, text, at }) => (
            <li key={remark}>
              <span className="soft">
                {isMine ? 'You' : person}, <Time at={at} />
              </span>
              <p className="text">{text}</p>
            </li>
          ))}
        </ul>
      )}
      <Remark params={{ ...params, item: id }} />
    </article>
  )
}

function Remark({ params }: { params: Params & { item: string } }) {
  const [text, setText] = useState('')
  const key = useRef(crypto.randomUUID())
  const say = useWrite('POST /api/projects/{project}/campaigns/{campaign}/items/{item}/remarks', () => {
    setText('')
    key.current = crypto.randomUUID()
  })
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    say.mutate({ params, body: { key: key.current, text } })
  }
  return (
    <form className="row" onSubmit={submit}>
      <Field label="What do you say to it?">
        {(attributes) => (
          <textarea
            {...attributes}
            rows={1}
            maxLength={4000}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <button type="submit" disabled={say.isPending || text.trim() === ''}>
        Say it
      </button>
      <Problem error={say.error} />
    </form>
  )
}
