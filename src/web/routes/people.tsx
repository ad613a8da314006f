// Who is in the project and as what; invitation links, roles, links for a new password.
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Role } from '#schema'
import { useGet, useWrite } from '../api.ts'
import { Field, HandOver, Loading, Problem, Time } from '../parts.tsx'
import { useMe } from '../who.ts'
import { Credentials } from './credentials.tsx'
import { useProject } from './project.tsx'

const MEANS: Record<Role, string> = {
  owner: 'everything, and people',
  lead: 'objective, guideline, campaigns, gates',
  engineer: 'runs, models, data',
  reviewer: 'adjudicates, signs off',
  annotator: 'judges and writes, blind',
  viewer: 'looks on',
}
const FOR_OWNERS: readonly Role[] = ['owner', 'lead']

export function PeopleScreen() {
  const { slug, role } = useProject()
  const people = useGet('GET /api/projects/{project}/people', { params: { project: slug } })
  const isOwner = role === 'owner'
  return (
    <main id="content" className="page">
      <h1>People</h1>
      {(isOwner || role === 'lead') && (
        <>
          <Invite slug={slug} isOwner={isOwner} />
          <p>
            <Link to="/p/$project/people/withdrawals" params={{ project: slug }}>
              Withdraw answers
            </Link>
          </p>
        </>
      )}
      {people.isPending && <Loading />}
      {people.isError && <Problem error={people.error} />}
      {people.data && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">Since</th>
                <th scope="col">Knows enough of</th>
                {isOwner && <th scope="col">Manage</th>}
              </tr>
            </thead>
            <tbody>
              {people.data.people.map((person) => (
                <Person
                  key={person.user}
                  slug={slug}
                  isOwner={isOwner}
                  isLead={isOwner || role === 'lead'}
                  {...person}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </main>
  )
}

function Invite({ slug, isOwner }: { slug: string; isOwner: boolean }) {
  const [role, setRole] = useState<Role>('annotator')
  const invite = useWrite('POST /api/projects/{project}/invitations')
  return (
    <section className="panel" aria-label="Invite">
      <div className="row">
        <Field label="Invite somebody as">
          {(attributes) => (
            <select
              {...attributes}
              value={role}
              onChange={(event) => {
                setRole(Role.parse(event.target.value))
                invite.reset()
              }}
            >
              {Role.options
                .filter((option) => isOwner || !FOR_OWNERS.includes(option))
                .map((option) => (
                  <option key={option} value={option}>
                    {option}: {MEANS[option]}
                  </option>
                ))}
            </select>
          )}
        </Field>
        <button
          type="button"
          className="primary"
          disabled={invite.isPending}
          onClick={() => invite.mutate({ params: { project: slug }, body: { role } })}
        >
          Make a link
        </button>
      </div>
      <Problem error={invite.error} />
      {invite.data && (
        <HandOver
          label={`Invitation for one ${role}`}
          url={`${window.location.origin}/join#${invite.data.token}`}
          note="Good for one person within a week. It is shown only now."
        />
      )}
    </section>
  )
}

function Person({
  slug,
  isOwner,
  isLead,
  user,
  name,
  email,
  role,
  joinedAt,
  credentials,
}: {
  slug: string
  isOwner: boolean
  isLead: boolean
  credentials: Parameters<typeof Credentials>[0]['credentials']
  user: string
  name: string
  email: string
  role: Role
  joinedAt: string
}) {
  const me = useMe()
  const params = { project: slug, user }
  const change = useWrite('PUT /api/projects/{project}/people/{user}')
  const remove = useWrite('DELETE /api/projects/{project}/people/{user}')
  const reset = useWrite('POST /api/projects/{project}/people/{user}/password-link')
  const error = change.error ?? remove.error ?? reset.error
  return (
    <>
      <tr>
        <th scope="row">
          {name}
          {user === me.id && <span className="soft"> (you)</span>}
          <span className="soft block">{email}</span>
        </th>
        <td>
          {isOwner && user !== me.id ? (
            <select
              aria-label={`Role of ${name}`}
              value={role}
              disabled={change.isPending}
              onChange={(event) => change.mutate({ params, body: { role: Role.parse(event.target.value) } })}
            >
              {Role.options.map((option) => (
                <option key={option}>{option}</option>
              ))}
            </select>
          ) : (
            role
          )}
        </td>
        <td>
          <Time at={joinedAt} />
        </td>
        <td>
          <Credentials params={params} name={name} credentials={credentials} isLead={isLead} />
        </td>
        {isOwner && (
          <td className="acts">
            {user !== me.id && (
              <>
                <button type="button" className="quiet" onClick={() => reset.mutate({ params })}>
                  New password<span className="unseen"> for {name}</span>
                </button>
                <button
                  type="button"
                  className="quiet danger"
                  onClick={() =>
                    window.confirm(`Take ${name} out of the project? What they judged stays.`) &&
                    remove.mutate({ params })
                  }
                >
                  Remove<span className="unseen"> {name}</span>
                </button>
              </>
            )}
          </td>
        )}
      </tr>
      {(error || reset.data) && (
        <tr>
          <td colSpan={5}>
            <Problem error={error} />
            {reset.data && (
              <HandOver
                label={`New password for ${name}`}
                url={`${window.location.origin}/new-password#${reset.data.token}`}
                note="Good once, within a week. It is shown only now."
              />
            )}
          </td>
        </tr>
      )}
    </>
  )
}
