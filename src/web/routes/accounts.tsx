// For administrators: every account of the installation, and which of them nobody can come in by any more.
import { useGet, useWrite } from '../api.ts'
import { Loading, Problem, Time } from '../parts.tsx'
import { useMe } from '../who.ts'
import { many } from './words.ts'

export function Accounts() {
  const me = useMe()
  const accounts = useGet('GET /api/accounts')
  const set = useWrite('PUT /api/accounts/{user}/state')
  return (
    <section aria-labelledby="accounts">
      <h2 id="accounts">Accounts</h2>
      <p className="soft">Disabled, an account is signed out everywhere at once; what its person judged stays.</p>
      {accounts.isPending && <Loading />}
      <Problem error={accounts.error ?? set.error} />
      {accounts.data && (
        <div className="scrolls">
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">E-mail address</th>
                <th scope="col">In</th>
                <th scope="col">Last seen</th>
                <th scope="col">
                  <span className="unseen">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {accounts.data.accounts.map(({ user, name, email, isAdministrator, isDisabled, projects, seenAt }) => (
                <tr key={user}>
                  <th scope="row">
                    {name} {isAdministrator && <span className="soft">administrator</span>}
                  </th>
                  <td>{email}</td>
                  <td>{many(projects, 'project')}</td>
                  <td>{seenAt === null ? <span className="soft">signed out</span> : <Time at={seenAt} />}</td>
                  <td className="acts">
                    {user !== me.id && (
                      <button
                        type="button"
                        className={isDisabled ? 'quiet' : 'quiet danger'}
                        disabled={set.isPending}
                        onClick={() =>
                          set.mutate({ params: { user }, body: { state: isDisabled ? 'active' : 'disabled' } })
                        }
                      >
                        {isDisabled ? 'Enable' : 'Disable'} {name}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  )
}
