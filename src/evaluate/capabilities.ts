// What a recipe or an evaluation needs of an engine, checked before it starts: a refusal names everything that is missing.
import type { Capabilities } from '#engine/contract'
import { ConfigError } from '#errors'

export type Needs = {
  outputs?: Capabilities['outputs']
  differentiable?: Capabilities['differentiable']
  heads?: Capabilities['heads']
  tuning?: Capabilities['tuning']
  /** Longest sequence, prompt and completion together. */
  tokens?: number
}

/** @throws ConfigError naming who needs what, and that another engine or shorter rows are wanted */
export function requireCapabilities(has: Capabilities, needs: Needs, who: string): void {
  const missing = (['outputs', 'differentiable', 'heads', 'tuning'] as const).flatMap((kind) => {
    const offered: readonly string[] = has[kind]
    return (needs[kind] ?? []).filter((name) => !offered.includes(name)).map((name) => `${kind}: ${name}`)
  })
  if (needs.tokens !== undefined && needs.tokens > has.maxTokens)
    missing.push(`${needs.tokens} tokens a sequence (it takes ${has.maxTokens})`)
  if (missing.length > 0)
    throw new ConfigError(
      `${who} needs what the engine ${has.name} does not offer: ${missing.join('; ')}. Choose another engine${needs.tokens === undefined ? '' : ' or shorter rows'}`,
    )
}
