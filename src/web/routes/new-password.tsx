// A new password, by the link that an owner handed over.
import { type FormEvent, useState } from 'react'
import { useWrite } from '../api.ts'
import { Field, Outside, Problem, textsOf } from '../parts.tsx'

export function NewPasswordScreen() {
  const [token] = useState(() => window.location.hash.slice(1))
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
        <Field label="New password" hint="At least 12 characters; a sentence is fine.">
          {(attributes) => (
            <input
              {...attributes}
              name="password"
              type="password"
              required
              minLength={12}
              maxLength={128}
              autoComplete="new-password"
              autoFocus
            />
          )}
        </Field>
        <Problem error={change.error} />
        <button type="submit" className="primary" disabled={change.isPending}>
          Change my password
        </button>
      </form>
    </Outside>
  )
}
