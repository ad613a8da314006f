// The projects of who is signed in; with one only, it opens by itself.
import { Link, Navigate, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useWrite } from '../api.ts'
import { Empty, Field, Problem, textsOf } from '../parts.tsx'
import { useInstallation, useMe } from '../who.ts'
import { Accounts } from './accounts.tsx'
import { DomainField } from './domain-field.tsx'

export function ProjectsScreen() {
  const me = useMe()
  const [only] = me.projects
  if (only && me.projects.length === 1 && !me.isAdministrator)
    return <Navigate to="/p/$project" params={{ project: only.slug }} replace />
  return (
    <main id="content" className="page">
      <h1>Projects</h1>
      {me.projects.length === 0 ? (
        <Empty title="You are in no project">
          <p>Ask a lead for an invitation link.</p>
        </Empty>
      ) : (
        <ul className="cards">
          {me.projects.map(({ slug, name, role }) => (
            <li key={slug}>
              <Link to="/p/$project" params={{ project: slug }} className="card">
                <strong>{name}</strong>
                <span className="soft">{role}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
      {me.isAdministrator && <NewProject />}
      {me.isAdministrator && <Accounts />}
    </main>
  )
}

function NewProject() {
  const navigate = useNavigate()
  const { domains } = useInstallation()
  const [isOpen, setOpen] = useState(false)
  const create = useWrite('POST /api/projects', ({ slug }) =>
    navigate({ to: '/p/$project', params: { project: slug } }),
  )
  if (!isOpen)
    return (
      <button type="button" onClick={() => setOpen(true)}>
        New project
      </button>
    )
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const domain = text('domain')
    create.mutate({ body: { name: text('name'), ...(domain !== '' && { domain }) } })
  }
  return (
    <form className="narrow" onSubmit={submit}>
      <Field label="Name of the project">
        {(attributes) => <input {...attributes} name="name" required maxLength={120} autoFocus />}
      </Field>
      <DomainField domains={domains} />
      <Problem error={create.error} />
      <button type="submit" className="primary" disabled={create.isPending}>
        Make the project
      </button>
    </form>
  )
}
