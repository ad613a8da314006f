// What stands around every screen: the state of the installation decides between set-up, sign-in and the work itself.
import { useQueryClient } from '@tanstack/react-query'
import { Link, Outlet } from '@tanstack/react-router'
import { useGet, useWrite } from './api.ts'
import { Loading, Outside, Problem } from './parts.tsx'
import { SignIn } from './routes/sign-in.tsx'
import { MeContext, StateContext, useInstallation } from './who.ts'

const STATE = 'GET /api/state'

export function Start() {
  const state = useGet(STATE)
  // Once there, it stays: a look for news that failed must not take the screen from under somebody's work.
  if (!state.data)
    return state.isError ? (
      <Outside title="hone cannot be reached">
        <Problem error={state.error} />
      </Outside>
    ) : (
      <Loading />
    )
  return (
    <StateContext value={state.data}>
      {state.data.isDemo && (
        <p className="simulated" role="note">
          Simulated: everybody here but you, what they judged, and every score that comes of it.
        </p>
      )}
      <Outlet />
    </StateContext>
  )
}

export function SignedIn() {
  const { isSetUp, me } = useInstallation()
  if (!isSetUp)
    return (
      <Outside
        title="Not set up yet"
        lead="Open the set-up link that hone serve printed when it started. Nothing else works until then."
      />
    )
  if (!me) return <SignIn />
  return (
    <MeContext value={me}>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <header className="top">
        <Link to="/" className="brand">
          hone
        </Link>
        <SignOut name={me.name} />
      </header>
      <Outlet />
    </MeContext>
  )
}

function SignOut({ name }: { name: string }) {
  const queries = useQueryClient()
  const signOut = useWrite('DELETE /api/session', () =>
    // What one person read is not there for the next; the state, which this page watches, stays watched.
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== STATE }),
  )
  return (
    <div className="who">
      <Link to="/me">{name}</Link>
      <button type="button" className="quiet" onClick={() => signOut.mutate({})}>
        Sign out
      </button>
    </div>
  )
}
