// Errors as OpenAI's clients read them: a status, and {"error": {message, type, param, code}}.
import { DataError } from '#errors'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: 400 | 401 | 404 | 413 | 415 | 429 | 500 | 503
  readonly param: string | null
  readonly code: string | null
  constructor(
    status: ApiError['status'],
    message: string,
    { param = null, code = null }: { param?: string | null; code?: string | null } = {},
  ) {
    super(message)
    this.status = status
    this.param = param
    this.code = code
  }
}

/** Data that cannot be used (a conversation that the template refuses) is the client's; anything unforeseen is ours. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof DataError) return new ApiError(400, error.message)
  // What nobody foresaw may name files: it is for who runs the server.
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  return new ApiError(500, 'a defect of hone; the server’s log says more')
}

export function errorBody({ status, message, param, code }: ApiError): object {
  const type =
    status >= 500
      ? 'server_error'
      : ({ 401: 'authentication_error', 429: 'rate_limit_error' } as Record<number, string>)[status]
  return { error: { message, type: type ?? 'invalid_request_error', param, code } }
}
