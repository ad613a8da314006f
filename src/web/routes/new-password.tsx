// A new password, by the link that an owner handed over.
import type { FormEvent } from 'react'
import { useWrite } from '../api.ts'
import { Outside, Problem, textsOf } from '../parts.tsx'
import { PasswordField, useToken } from './account-fields.tsx'

export function NewPasswordScreen() {
  const token = useToken()
  const change = useWrite('POST /api/links/password')
  if (change.isSuccess)
    return (
      <Outside title="Your password is changed" lead="Every session of your account has ended.">
        <a className="button primary" href="/">
          Sign in
        </a>
      </Outside>
    )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    change.mutate({ body: { token, password: textsOf(event)('password') } })
  }
  return (
    <Outside title="Choose a new password">
      <form onSubmit={submit}>
        <PasswordField label="New password" autoFocus />
        <Problem error={change.error} />
        <button type="submit" className="primary" disabled={change.isPending}>
          Change my password
        </button>
      </form>
    </Outside>
  )
}
