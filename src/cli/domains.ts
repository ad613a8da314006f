// Bundled domains, by name.
import { ConfigError } from '#errors'

/** The domain's module; its people and scores are simulated. */
export async function loadDomain(name: string) {
  if (name !== 'customer-service')
    throw new ConfigError(`--domain: expected customer-service, the one domain there is, got ${name}`)
  return import('#domains/customer-service')
}
