// Joining a project by the link that a lead handed over: with a new account, or as who is signed in.
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useEffect, useState } from 'react'
import { call, useWrite } from '../api.ts'
import { Loading, Outside, Problem, textsOf } from '../parts.tsx'
import { useInstallation } from '../who.ts'
import { AccountFields, useToken } from './account-fields.tsx'
import { a } from './words.ts'
import type { AnswerOf } from '#server/contract'

type Looked = AnswerOf<'POST /api/links/look'>

export function JoinScreen() {
  const { me } = useInstallation()
  const navigate = useNavigate()
  const token = useToken()
  const [looked, setLooked] = useState<Looked | Error>()
  useEffect(() => {
    call('POST /api/links/look', { body: { token } }).then(setLooked, setLooked)
  }, [token])
  const join = useWrite('POST /api/links/join', () => navigate({ to: '/', replace: true }))
  if (!looked) return <Loading />
  if (looked instanceof Error || looked.kind !== 'invitation')
    return <Outside title="This link does not work" lead={looked instanceof Error ? looked.message : ''} />
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const account = { name: text('name'), email: text('email'), password: text('password') }
    join.mutate({ body: { token, ...(!me && { account }) } })
  }
  return (
    <Outside title={`Join ${looked.projectName}`} lead={`You are invited as ${a(looked.role)}.`}>
      <form onSubmit={submit}>
        {me ? <p>You are signed in as {me.name}.</p> : <AccountFields autoFocus />}
        <Problem error={join.error} />
        <button type="submit" className="primary" disabled={join.isPending}>
          Join
        </button>
      </form>
    </Outside>
  )
}
