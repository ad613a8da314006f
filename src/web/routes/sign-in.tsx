// Sign in, at whatever address was asked for.
import { type FormEvent } from 'react'
import { useWrite } from '../api.ts'
import { Field, Outside, Problem, textsOf } from '../parts.tsx'

export function SignIn() {
  const signIn = useWrite('POST /api/session')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    signIn.mutate({ body: { email: text('email'), password: text('password') } })
  }
  return (
    <Outside title="Sign in">
      <form onSubmit={submit}>
        <Field label="E-mail address">
          {(attributes) => (
            <input {...attributes} name="email" type="email" autoComplete="username" required autoFocus />
          )}
        </Field>
        <Field label="Password">
          {(attributes) => (
            <input {...attributes} name="password" type="password" autoComplete="current-password" required />
          )}
        </Field>
        <Problem error={signIn.error} />
        <button type="submit" className="primary" disabled={signIn.isPending}>
          Sign in
        </button>
        <p className="hint">Forgotten your password? An owner of your project can make you a link for a new one.</p>
      </form>
    </Outside>
  )
}
