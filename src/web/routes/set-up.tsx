// The first account and the first project. The token is in the address after #, which browsers send to nobody.
import { useNavigate } from '@tanstack/react-router'
import type { FormEvent } from 'react'
import { useWrite } from '../api.ts'
import { Field, Outside, Problem, textsOf } from '../parts.tsx'
import { useInstallation } from '../who.ts'
import { DomainField } from './domain-field.tsx'
import { AccountFields, useToken } from './account-fields.tsx'

export function SetUpScreen() {
  const { isSetUp, suggestedProject, bringsObjective, domains } = useInstallation()
  const navigate = useNavigate()
  const token = useToken()
  const setUp = useWrite('POST /api/set-up', (me) =>
    navigate({ to: '/p/$project', params: { project: me.projects[0]!.slug }, replace: true }),
  )
  if (isSetUp && !setUp.isPending && !setUp.isSuccess)
    return (
      <Outside title="Set up already" lead="This installation has its first account.">
        <a className="button primary" href="/">
          Sign in
        </a>
      </Outside>
    )
  if (token === '')
    return (
      <Outside title="A link is needed" lead="Open the whole set-up link that hone serve printed when it started." />
    )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const [name, email, password] = [text('name'), text('email'), text('password')]
    const [project, domain] = [text('project'), text('domain')]
    setUp.mutate({ body: { token, name, email, password, project, ...(domain !== '' && { domain }) } })
  }
  return (
    <Outside title="Set up hone" lead="You will own the first project and can invite everybody else.">
      <form onSubmit={submit}>
        <Field label="Project" hint="One focused domain: customer service, discharge letters, code review.">
          {(attributes) => (
            <input {...attributes} name="project" required maxLength={120} defaultValue={suggestedProject} />
          )}
        </Field>
        {!bringsObjective && <DomainField domains={domains} />}
        <AccountFields />
        <Problem error={setUp.error} />
        <button type="submit" className="primary" disabled={setUp.isPending}>
          Set up
        </button>
      </form>
    </Outside>
  )
}
