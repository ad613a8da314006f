// One's own account: who one is here, and a new password.
import { Link } from '@tanstack/react-router'
import type { FormEvent } from 'react'
import { useWrite } from '../api.ts'
import { Field, Problem, textsOf } from '../parts.tsx'
import { useMe } from '../who.ts'
import { PasswordField } from './account-fields.tsx'
import { ChosenKeys } from './chosen-keys.tsx'

export function MeScreen() {
  const { name, email, projects } = useMe()
  return (
    <main id="content" className="page">
      <h1>{name}</h1>
      <p className="soft">Signed in as {email}.</p>
      {projects.length > 0 && (
        <ul>
          {projects.map(({ slug, name: project, role }) => (
            <li key={slug}>
              <Link to="/p/$project" params={{ project: slug }}>
                {project}
              </Link>{' '}
              <span className="soft">{role}</span>
            </li>
          ))}
        </ul>
      )}
      <ChosenKeys />
      <ChangePassword email={email} />
      <p>
        <Link to="/reference">What programs can ask of this server</Link>
      </p>
    </main>
  )
}

function ChangePassword({ email }: { email: string }) {
  const change = useWrite('PUT /api/me/password')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const form = event.currentTarget
    change.mutate({ body: { current: text('current'), password: text('password') } }, { onSuccess: () => form.reset() })
  }
  return (
    <section aria-label="Password">
      <h2>Password</h2>
      <form className="narrow" onSubmit={submit}>
        {/* Whose it is, for what remembers passwords. */}
        <input type="email" autoComplete="username" value={email} readOnly hidden />
        <Field label="Current password">
          {(attributes) => (
            <input {...attributes} name="current" type="password" required autoComplete="current-password" />
          )}
        </Field>
        <PasswordField label="New password" />
        <Problem error={change.error} />
        {change.isSuccess && <p role="status">Your password is changed; your other sessions have ended.</p>}
        <button type="submit" className="primary" disabled={change.isPending}>
          Change my password
        </button>
      </form>
    </section>
  )
}
