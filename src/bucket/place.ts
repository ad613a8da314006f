// Where a bucket is and who asks: the address out of hone.json, the rest out of the variables that tools for S3 share
// (https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html). Buckets stand in the path, which every
// server takes. Requests are signed with Signature Version 4. Left out: profiles in files, roles of machines.
import { AwsV4Signer } from 'aws4fetch'
import { ConfigError } from '#errors'

/** A bucket, or a part of one. Keys are in `sign` alone, so that nothing that is printed has them. */
export type Bucket = {
  /** As people are told, and hone.json says: `s3://` is AWS, all else has its host in it. */
  url: string
  /** Scheme and host, without a slash at its end. */
  endpoint: string
  name: string
  /** Of every key: empty, or with a slash at its end. */
  prefix: string
  region: string
  /** The headers given, and those that say who asks. @throws ConfigError where keys are missing. */
  sign(request: { method: string; url: string; headers: Record<string, string> }): Promise<Headers>
  pace: Pace
  /** Ends whatever is asked. */
  signal?: AbortSignal
}

export type Pace = {
  /** Before the second try; it doubles from try to try. */
  firstWaitMs: number
  /** Without a byte of an answer. */
  patienceMs: number
  /** A body may take as long as it takes at this speed. */
  leastBytesPerMs: number
}

export type Environment = Readonly<Record<string, string | undefined>>

const PACE: Pace = { firstWaitMs: 200, patienceMs: 15_000, leastBytesPerMs: 64 }
const USUAL_REGION = 'us-east-1'

/** `s3://BUCKET/PREFIX`, or `https://HOST/BUCKET/PREFIX`. What cannot be followed is a ConfigError. */
export function bucketAt(address: string, env: Environment = process.env, pace: Partial<Pace> = {}): Bucket {
  const region = env.AWS_REGION || env.AWS_DEFAULT_REGION || USUAL_REGION
  const { endpoint, name, prefix, url } = placeOf(address, { region, env })
  return {
    url,
    endpoint,
    name,
    prefix,
    region,
    async sign(request) {
      // Read when they are needed: who has the whole folder may work in it without keys.
      return (await new AwsV4Signer({ ...request, ...keysOf(env, url), region, service: 's3' }).sign()).headers
    },
    pace: { ...PACE, ...pace },
  }
}

type Place = Pick<Bucket, 'endpoint' | 'name' | 'prefix' | 'url'>

function placeOf(address: string, { region, env }: { region: string; env: Environment }): Place {
  const [, scheme, rest] = /^(s3|https?):\/\/(.+)$/.exec(address) ?? []
  if (scheme === undefined || rest === undefined || /[?#@\s]/.test(rest)) throw wrong(address)
  const parts = rest.replace(/\/+$/, '').split('/')
  const own = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL
  const endpoint =
    scheme === 's3'
      ? (own || `https://s3.${region}.amazonaws.com`).replace(/\/+$/, '')
      : `${scheme}://${parts.shift() ?? ''}`
  if (!URL.canParse(endpoint) || !/^https?:\/\/[^/?#@\s]+$/.test(endpoint))
    throw new ConfigError(
      `AWS_ENDPOINT_URL: expected scheme and host, such as https://s3.example.org, got ${withoutUser(endpoint)}`,
    )
  const [name = '', ...below] = parts
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name)) throw wrong(address)
  if (below.some((part) => !/^[A-Za-z0-9._-]+$/.test(part) || /^\.+$/.test(part))) throw wrong(address)
  const prefix = below.map((part) => `${part}/`).join('')
  // Whole, so that what is kept of it means the same without the variable.
  const root = scheme === 's3' && !own ? 's3:/' : endpoint
  return { endpoint, name, prefix, url: [root, name, ...below].join('/') }
}

function wrong(address: string): ConfigError {
  return new ConfigError(
    `artifacts: expected s3://BUCKET/PREFIX or https://HOST/BUCKET/PREFIX, of a-z, 0-9, ., _ and -, without keys, got ${withoutUser(address)}`,
  )
}

/** What stands before an @ may be a key. */
function withoutUser(address: string): string {
  return address.replace(/\/\/.*@/, '//***@').replace(/\?.*/, '?***')
}

function keysOf(env: Environment, url: string) {
  const read = (name: string): string | undefined => {
    const value = env[name]
    if (value && !/^[\x21-\x7e]+$/.test(value))
      throw new ConfigError(`${name}: expected a key of printable characters, without spaces and line breaks`)
    return value || undefined
  }
  const accessKeyId = read('AWS_ACCESS_KEY_ID')
  const secretAccessKey = read('AWS_SECRET_ACCESS_KEY')
  const sessionToken = read('AWS_SESSION_TOKEN')
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw new ConfigError(
      `artifacts are in ${url}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and where they are needed AWS_SESSION_TOKEN, AWS_REGION, AWS_ENDPOINT_URL`,
    )
  return { accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }) }
}
