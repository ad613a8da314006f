// Where the Hub is, who asks, and where files are kept: from the variables that huggingface_hub reads, so that one
// setting serves all tools (https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables).
import fs from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { ConfigError } from '#errors'

export type Hub = {
  /** Without a slash at its end. */
  endpoint: string
  /** Sent to the endpoint's own origin and to no other. */
  token?: string
  /** The folder that holds `models--<owner>--<name>`. */
  cache: string
}

type Environment = Readonly<Record<string, string | undefined>>

/** A variable that cannot be followed is a ConfigError. */
export function hubOf(env: Environment = process.env, home: string = homedir()): Hub {
  if (/^(1|true|yes|on)$/i.test(env.HF_HUB_OFFLINE ?? ''))
    throw new ConfigError('HF_HUB_OFFLINE is set: nothing can be pulled; unset it, or give a folder to --model')
  const endpoint = (env.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, '')
  if (!/^https?:$/.test(protocolOf(endpoint)))
    throw new ConfigError(`HF_ENDPOINT: expected an address that begins with https://, got ${endpoint}`)
  const cacheHome = env.XDG_CACHE_HOME || join(home, '.cache')
  const folder = env.HF_HOME || join(cacheHome, 'huggingface')
  const token = (env.HF_TOKEN || tokenIn(env.HF_TOKEN_PATH || join(folder, 'token'))).trim()
  // Refused here: fetch would refuse it in words that hold the token.
  if (!/^[\x21-\x7e]*$/.test(token))
    throw new ConfigError(
      'HF_TOKEN: expected a token on one line without spaces; look at it, or at the file of HF_TOKEN_PATH',
    )
  return { endpoint, cache: env.HF_HUB_CACHE || join(folder, 'hub'), ...(token && { token }) }
}

function protocolOf(address: string): string {
  return URL.canParse(address) ? new URL(address).protocol : ''
}

/** What `hf auth login` left behind, empty when there is nothing. */
function tokenIn(file: string): string {
  return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
}
