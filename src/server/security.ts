// What stands before every request: headers, same origin, who asks. Cookies only travel where the browser says that this
// page itself sent them, so a page elsewhere can make nobody's browser write.
import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { HttpError } from '#errors'

const COOKIE = 'hone'
const COOKIE_OPTIONS = { prefix: 'host', path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const
const COOKIE_DAYS = 30

/** No inline script or style, nothing from elsewhere, no frame around us. */
export const HEADERS: Record<string, string> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/

/**
 * Refuses a host name that is not ours (a name that was made to point here), and a write that another site's page sent.
 * `origin` is how people reach the server from outside; without it only this machine's own names are known.
 */
export function checkOrigin(
  c: Context,
  { origin, isLoopback, isByKey }: { origin: string | undefined; isLoopback: boolean; isByKey: boolean },
): void {
  const host = c.req.header('host') ?? new URL(c.req.url).host
  const isOurs = origin !== undefined && host === new URL(origin).host
  if (isLoopback && !isOurs && !LOOPBACK.test(host))
    throw new HttpError(403, `this server does not answer to the name ${host}; start it with --origin if it should`)
  // A key is nothing that a browser sends by itself.
  if (SAFE.has(c.req.method) || isByKey) return
  const site = c.req.header('sec-fetch-site')
  const from = c.req.header('origin')
  const isSame = from !== undefined && (isOurs ? from === origin : URL.canParse(from) && new URL(from).host === host)
  if (!isSame || (site !== undefined && site !== 'same-origin'))
    throw new HttpError(403, 'expected a request from this server’s own pages (Origin, Sec-Fetch-Site)')
}

export function readSession(c: Context): string | undefined {
  return getCookie(c, COOKIE, 'host')
}

export function writeSession(c: Context, token: string | undefined): void {
  if (token === undefined) deleteCookie(c, COOKIE, COOKIE_OPTIONS)
  else setCookie(c, COOKIE, token, { ...COOKIE_OPTIONS, maxAge: COOKIE_DAYS * 86_400 })
}
