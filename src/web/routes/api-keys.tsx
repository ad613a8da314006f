// Keys by which programs ask for completions by release name.
import { type FormEvent, useState } from 'react'
import { useGet, useWrite } from '../api.ts'
import { Field, HandOver, Loading, Problem, textsOf, Time } from '../parts.tsx'
import { many } from './words.ts'

export function ApiKeys({ slug, mayMake }: { slug: string; mayMake: boolean }) {
  const keys = useGet('GET /api/projects/{project}/api-keys', { params: { project: slug } })
  const [made, setMade] = useState<string>()
  const make = useWrite('POST /api/projects/{project}/api-keys', ({ key }) => setMade(key))
  const revoke = useWrite('DELETE /api/projects/{project}/api-keys/{key}')
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    const text = textsOf(event)
    const days = text('days')
    const body = { name: text('name'), perMinute: Number(text('perMinute')), days: days === '' ? null : Number(days) }
    make.mutate({ params: { project: slug }, body })
    event.currentTarget.reset()
  }
  return (
    <section aria-labelledby="keys">
      <h2 id="keys">Keys for programs</h2>
      <p className="soft">
        OpenAI’s clients ask at <span className="mono">{`${location.origin}/v1`}</span> for a release by its name.
      </p>
      {keys.isPending && <Loading />}
      {keys.isError && <Problem error={keys.error} />}
      {keys.data && keys.data.keys.length > 0 && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Begins with</th>
                <th scope="col">Limit</th>
                <th scope="col">Made</th>
                <th scope="col">Last used</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {keys.data.keys.map(({ id, name, prefix, perMinute, by, madeAt, expiresAt, revokedAt, usedAt }) => (
                <tr key={id}>
                  <th scope="row">{name}</th>
                  <td className="mono">{prefix}…</td>
                  <td>{many(perMinute, 'request')} a minute</td>
                  <td>
                    {by}, <Time at={madeAt} />
                  </td>
                  <td>{usedAt === null ? <span className="soft">never</span> : <Time at={usedAt} />}</td>
                  <td className="acts">
                    {revokedAt !== null ? (
                      <span className="soft">revoked</span>
                    ) : expiresAt !== null && Date.parse(expiresAt) < Date.now() ? (
                      <span className="soft">expired</span>
                    ) : (
                      mayMake && (
                        <button
                          type="button"
                          className="quiet danger"
                          disabled={revoke.isPending}
                          onClick={() => revoke.mutate({ params: { project: slug, key: id } })}
                        >
                          Revoke {name}
                        </button>
                      )
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <Problem error={revoke.error} />
      {made !== undefined && (
        <HandOver
          label="The key"
          what="key"
          url={made}
          note="Shown this once; only its hash is kept. Put it where the program keeps its secrets."
        />
      )}
      {mayMake && (
        <form onSubmit={submit} className="row">
          <Field label="Program" hint="Who will hold the key.">
            {(attributes) => <input {...attributes} name="name" required maxLength={80} />}
          </Field>
          <Field label="Requests a minute" hint="At most.">
            {(attributes) => (
              <input {...attributes} name="perMinute" type="number" min={1} max={10000} defaultValue={60} required />
            )}
          </Field>
          <Field label="Days" hint="Empty: until revoked.">
            {(attributes) => <input {...attributes} name="days" type="number" min={1} max={3650} />}
          </Field>
          <button type="submit" disabled={make.isPending}>
            Make a key
          </button>
        </form>
      )}
      <Problem error={make.error} />
    </section>
  )
}
