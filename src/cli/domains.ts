// Bundled domains, by name.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError } from '#errors'

const DOMAINS = fileURLToPath(new URL('../../domains', import.meta.url))

/** Each with its folder, which has an objective.json. */
export function bundledDomains(): { name: string; folder: string }[] {
  return readdirSync(DOMAINS)
    .map((name) => ({ name, folder: join(DOMAINS, name) }))
    .filter(({ folder }) => existsSync(join(folder, 'objective.json')))
}

/** The domain's module; its people and scores are simulated. */
export async function loadDomain(name: string) {
  if (name !== 'customer-service')
    throw new ConfigError(`--domain: expected customer-service, the one domain there is, got ${name}`)
  return import('#domains/customer-service')
}
