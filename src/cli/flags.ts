// Flags made of a recipe's zod schema: the field's name in kebab-case, its description as help, its default shown.
// `--config FILE` (JSON) gives fields first, flags win. Unknown keys and values of the wrong type are errors.
import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { z } from 'zod'
import { ConfigError } from '#errors'

type Property = {
  type?: string
  enum?: (string | number)[]
  anyOf?: Property[]
  const?: string | number | boolean
  default?: unknown
  description?: string
}

/** Adds one flag for each field of `schema`. */
export function addFlags(command: Command, schema: z.ZodObject): void {
  command.option('--config <file>', 'JSON file with any of the settings below; flags win over it')
  for (const [name, property] of Object.entries(properties(schema))) {
    const shown = property.default === undefined ? '' : ` (default: ${JSON.stringify(property.default)})`
    command.option(`--${kebab(name)} <${placeholder(property)}>`, `${property.description ?? ''}${shown}`)
  }
}

/**
 * Reads what `addFlags` added: `before`, then the config file, then flags, then the schema's own defaults and checks.
 * `given`: the settings that the file or a flag names.
 */
export function readFlags<T extends z.ZodObject>(
  options: Record<string, string | boolean | undefined>,
  schema: T,
  before: Record<string, unknown> = {},
): { config: z.output<T>; given: string[] } {
  const given: Record<string, unknown> = readConfigFile(options.config)
  for (const [name, property] of Object.entries(properties(schema))) {
    const raw = options[name]
    if (raw !== undefined) given[name] = parseFlag(`--${kebab(name)}`, String(raw), property)
  }
  const all = { ...before, ...given }
  const parsed = schema.safeParse(all)
  if (parsed.success) return { config: parsed.data, given: Object.keys(given) }
  throw new ConfigError(describeIssues(parsed.error, all))
}

/** One sentence a problem: which setting, what was expected, what came. */
export function describeIssues(error: z.ZodError, given: unknown): string {
  return error.issues
    .map((issue) => {
      const name = issue.path.length ? `--${kebab(issue.path.map(String).join('.'))}: ` : ''
      const got = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown> | undefined)?.[key], given)
      const came = issue.path.length && got !== undefined ? `, got ${JSON.stringify(got)}` : ''
      return `${name}${issue.message}${came}`
    })
    .join('; ')
}

export function kebab(name: string): string {
  return name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
}

function properties(schema: z.ZodObject): Record<string, Property> {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  return (described.properties ?? {}) as Record<string, Property>
}

function placeholder(property: Property): string {
  if (property.enum) return property.enum.join('|')
  if (property.anyOf)
    return property.anyOf.map((p) => (p.const === undefined ? placeholder(p) : String(p.const))).join('|')
  if (property.const !== undefined) return String(property.const)
  return property.type ?? 'json'
}

function parseFlag(flag: string, raw: string, property: Property): unknown {
  const options = property.anyOf ?? [property]
  for (const option of options) {
    if (option.const !== undefined) {
      if (raw === String(option.const)) return option.const
      continue
    }
    if (option.enum?.map(String).includes(raw)) return option.enum.find((v) => String(v) === raw)
    if (option.type === 'string' && !option.enum) return raw
    if (option.type === 'boolean' && (raw === 'true' || raw === 'false')) return raw === 'true'
    if ((option.type === 'number' || option.type === 'integer') && raw.trim() !== '' && Number.isFinite(Number(raw)))
      return Number(raw)
    if (option.type === 'array' || option.type === 'object') return parseJson(flag, raw)
  }
  throw new ConfigError(`${flag}: expected ${options.map(placeholder).join(' or ')}, got ${JSON.stringify(raw)}`)
}

function parseJson(flag: string, raw: string): unknown {
  try {
    return JSON.parse(raw)
  } catch (cause) {
    throw new ConfigError(`${flag}: expected JSON, got ${JSON.stringify(raw)}`, { cause })
  }
}

function readConfigFile(file: string | boolean | undefined): Record<string, unknown> {
  if (typeof file !== 'string') return {}
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`--config: expected a JSON file, cannot read ${file}`, { cause })
  }
  const value = parseJson(`--config ${file}`, text)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new ConfigError(
      `--config ${file}: expected a JSON object of settings, got ${Array.isArray(value) ? 'an array' : typeof value}`,
    )
  return value as Record<string, unknown>
}
