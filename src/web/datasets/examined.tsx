// What the server works out about whole versions: asked again until it is there.
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { AnswerOf, Key } from '#server/contract'
import { type Asked, useGet } from '../api.ts'

const AGAIN_MILLISECONDS = 400

export function useExamined<K extends Key & `GET ${string}`>(
  key: K,
  asked: Pick<Asked<K>, 'params' | 'query'>,
): UseQueryResult<AnswerOf<K>> {
  return useGet(key, asked, {
    refetchInterval: ({ state: { data } }) =>
      (data as { state?: string } | undefined)?.state === 'running' ? AGAIN_MILLISECONDS : false,
  })
}

export function Working({ children }: { children: ReactNode }) {
  return (
    <p className="soft" role="status">
      {children}
    </p>
  )
}
