// Which addresses a webhook may reach: those of the public internet, and hosts that the operator named. A name is resolved
// once and the connection goes to that very address, so that a name which answers otherwise the second time gains nothing.
// Ranges: IANA's special-purpose registries (RFC 6890), IPv6 by what is public (2000::/3) and not by what is not.
import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { HttpError } from '#errors'

export type Address = { address: string; family: 4 | 6 }
/** All addresses of a name. */
export type Resolve = (host: string) => Promise<Address[]>

const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]
/** Inside 2000::/3: protocol assignments with Teredo, documentation, 6to4, which wraps IPv4. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']

const special = new BlockList()
for (const range of SPECIAL_IPV4) special.addSubnet(...split(range), 'ipv4')
for (const range of SPECIAL_IPV6) special.addSubnet(...split(range), 'ipv6')
const global6 = new BlockList()
global6.addSubnet('2000::', 3, 'ipv6')

function split(range: string): [string, number] {
  const [net, bits] = range.split('/') as [string, string]
  return [net, Number(bits)]
}

export function isPublic({ address, family }: Address): boolean {
  if (family === 4) return !special.check(address, 'ipv4')
  return global6.check(address, 'ipv6') && !special.check(address, 'ipv6')
}

const LONGEST_URL = 2000

/** HttpError 422 says what is wrong with it. Forms of IPv4 such as 2130706433 or 0x7f.1 are plain addresses afterwards. */
export function webhookUrl(text: string): URL {
  const wrong = (what: string) => new HttpError(422, `url: ${what}`)
  if (text.length > LONGEST_URL) throw wrong(`expected at most ${LONGEST_URL} characters`)
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !['http:', 'https:'].includes(url.protocol))
    throw wrong('expected an address that begins with https:// or http://')
  if (url.username !== '' || url.password !== '') throw wrong('expected no user name or password in it')
  if (url.hash !== '') throw wrong('expected nothing after #, which is never sent')
  return url
}

export function hostOf(url: URL): string {
  return url.hostname.replaceAll(/^\[|\]$/g, '')
}

export const resolveByDns: Resolve = async (host) =>
  (await lookup(host, { all: true, verbatim: true })).map(({ address, family }) => ({
    address,
    family: family === 6 ? 6 : 4,
  }))

/** Says no more than that: what a name stands for inside is nobody's business outside. */
export class NotPublic extends Error {}

/** The address to connect to. A name that has one address that is not public has none that counts. */
export async function addressFor(url: URL, o: { allowed: readonly string[]; resolve: Resolve }): Promise<Address> {
  const host = hostOf(url)
  const family = isIP(host)
  const all = family === 0 ? await o.resolve(host) : [{ address: host, family: family as 4 | 6 }]
  const [first] = all
  if (!first) throw new Error(`${host} has no address`)
  const isNamed = o.allowed.some((name) => name.toLowerCase() === host)
  if (!isNamed && !all.every(isPublic))
    throw new NotPublic(`${host} is no public address; hone serve --webhook-host ${host} allows it`)
  return first
}
