// The API by its keys: `call('GET /api/projects/{project}', { params })`. Types come from the server's contract; at run
// time there is nothing here but fetch.
import {
  useMutation,
  useQuery,
  useQueryClient,
  type UseMutationResult,
  type UseQueryResult,
} from '@tanstack/react-query'
import type { AnswerOf, BodyGiven, Key, ParamsOf, QueryGiven } from '#server/contract'

export type Asked<K extends Key> = {
  params?: ParamsOf<K>
  query?: QueryGiven<K>
  body?: BodyGiven<K>
  signal?: AbortSignal
}

/** The server said no (status), or was not reached (status 0). */
export class ApiError extends Error {
  readonly status: number
  /** Of a conflict: what is there instead. */
  readonly detail: unknown
  constructor(status: number, message: string, detail?: unknown) {
    super(message)
    this.status = status
    this.detail = detail
  }
}

export function addressOf<K extends Key>(key: K, { params, query }: Pick<Asked<K>, 'params' | 'query'> = {}): string {
  const path = key.slice(key.indexOf(' ') + 1)
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent((params as Record<string, string>)[name]!),
  )
  const pairs = Object.entries((query ?? {}) as Record<string, unknown>).filter(([, value]) => value !== undefined)
  return pairs.length === 0
    ? filled
    : `${filled}?${new URLSearchParams(pairs.map(([k, v]) => [k, String(v)])).toString()}`
}

export async function call<K extends Key>(key: K, asked: Asked<K> = {}): Promise<AnswerOf<K>> {
  const { body, signal } = asked
  const isFile = (body as unknown) instanceof Blob
  let response: Response
  try {
    response = await fetch(addressOf(key, asked), {
      method: key.slice(0, key.indexOf(' ')),
      ...(body !== undefined && {
        body: isFile ? body : JSON.stringify(body),
        headers: { 'content-type': isFile ? 'application/octet-stream' : 'application/json' },
      }),
      ...(signal && { signal }),
    })
  } catch (cause) {
    if (signal?.aborted) throw cause
    throw new ApiError(0, 'The server cannot be reached.')
  }
  if (response.status === 204) return undefined as AnswerOf<K>
  const answer = (await response.json().catch(() => undefined)) as unknown
  if (response.ok) return answer as AnswerOf<K>
  const { message, detail } = (answer as { error?: { message?: string; detail?: unknown } } | undefined)?.error ?? {}
  throw new ApiError(response.status, message ?? `The server answered ${response.status}.`, detail)
}

/** Server state, from the cache where it is fresh. */
export function useGet<K extends Key & `GET ${string}`>(
  key: K,
  asked: Pick<Asked<K>, 'params' | 'query'> = {},
  options: {
    /** Milliseconds; false: not again. */
    refetchInterval?: number | ((query: { state: { data: AnswerOf<K> | undefined } }) => number | false)
    enabled?: boolean
  } = {},
): UseQueryResult<AnswerOf<K>> {
  return useQuery({
    queryKey: [key, asked.params ?? {}, asked.query ?? {}],
    queryFn: ({ signal }) => call(key, { ...asked, signal }),
    ...options,
  })
}

/** A write; afterwards what was read before is asked again. */
export function useWrite<K extends Key>(
  key: K,
  then?: (answer: AnswerOf<K>) => void | Promise<unknown>,
): UseMutationResult<AnswerOf<K>, Error, Asked<K>> {
  const queries = useQueryClient()
  return useMutation({
    mutationFn: (asked: Asked<K>) => call(key, asked),
    onSuccess: async (answer) => {
      await queries.invalidateQueries()
      await then?.(answer)
    },
  })
}
