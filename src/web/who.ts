// The state of the installation, and who is signed in: for every screen below the shell.
import { createContext, useContext } from 'react'
import type { AnswerOf } from '#server/contract'

type State = AnswerOf<'GET /api/state'>
export type Me = NonNullable<State['me']>

export const StateContext = createContext<State | undefined>(undefined)
export const MeContext = createContext<Me | undefined>(undefined)

export function useInstallation(): State {
  return useContext(StateContext)!
}
/** Who is signed in; only below SignedIn. */
export function useMe(): Me {
  return useContext(MeContext)!
}
