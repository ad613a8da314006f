// A JSON schema (2020-12) as a network that spells values which fit it. Supported: type, properties, required,
// additionalProperties, items, minItems, maxItems, minLength, maxLength, enum, const, anyOf, $ref within the document. A
// keyword that would narrow values and is not among them is refused by name. Properties come in the schema's order, and
// none beside them: what is spelled always fits, though not all that fits can be spelled.
import { DataError } from '#errors'
import {
  addColon,
  addComma,
  addJsonRules,
  addList,
  addMap,
  addString,
  addTexts,
  type JsonRules,
  LARGEST_INTEGER,
} from './json-values.ts'
import { type Builder, buildNetwork, type Network, type Rule } from './network.ts'

/** Keywords that say nothing about which values fit. */
const ANNOTATIONS = new Set(
  'title description default examples deprecated readOnly writeOnly $comment $schema $id $defs definitions'.split(' '),
)
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null'] as const
type Type = (typeof TYPES)[number]
const KEYWORDS_OF: Partial<Record<Type, string[]>> = {
  object: ['properties', 'required', 'additionalProperties'],
  array: ['items', 'minItems', 'maxItems'],
  string: ['minLength', 'maxLength'],
  integer: ['minimum', 'maximum'],
}
/** Schemas within schemas: deeper ones would exhaust the call stack. */
const DEEPEST = 100

type Schema = Record<string, unknown>
type Compiler = { root: unknown; builder: Builder; json: JsonRules; made: Map<Schema, Rule> }

/** A refusal is a DataError whose field is a JSON pointer into the schema. */
export function compileJsonSchema(schema: unknown): Network {
  const builder = buildNetwork()
  const compiler: Compiler = { root: schema, builder, json: addJsonRules(builder), made: new Map() }
  const root = ruleOf(compiler, schema, '#', 0)
  const network = builder.network(root)
  refuseEndless(network, [...compiler.made.values()])
  return network
}

/** The rule that spells values of a schema; the same schema object, reached again by $ref, is the same rule. */
function ruleOf(compiler: Compiler, schema: unknown, at: string, depth: number): Rule {
  const { builder, json, made } = compiler
  if (schema === true) return json.value
  if (depth > DEEPEST) refuse(at, `expected schemas at most ${DEEPEST} deep`)
  if (!isObject(schema)) return refuse(at, `expected a schema that some value fits, got ${told(schema)}`)
  const known = made.get(schema)
  if (known) return known
  const rule = builder.rule()
  made.set(schema, rule)
  for (const way of waysOf(compiler, schema, at, depth)) builder.call(rule.start, way, rule.end)
  return rule
}

function waysOf(compiler: Compiler, schema: Schema, at: string, depth: number): Rule[] {
  const asserted = Object.keys(schema).filter((key) => !ANNOTATIONS.has(key))
  const only = (...read: string[]): void => {
    const other = asserted.find((key) => !read.includes(key))
    if (other !== undefined)
      refuse(
        `${at}/${escape(other)}`,
        `is not supported in constrained decoding${read.length ? ` beside ${read[0]}` : ''}`,
      )
  }
  if (schema.$ref !== undefined) {
    only('$ref')
    return [ruleOf(compiler, resolve(compiler.root, schema.$ref, at), `${at}/$ref`, depth + 1)]
  }
  for (const key of ['anyOf', 'allOf'] as const) {
    const parts = schema[key]
    if (parts === undefined) continue
    only(key)
    if (!Array.isArray(parts) || parts.length === 0) return refuse(`${at}/${key}`, 'expected a list of schemas')
    if (key === 'allOf' && parts.length > 1) return refuse(`${at}/${key}`, 'is supported with one schema alone')
    return parts.map((part, i) => ruleOf(compiler, part, `${at}/${key}/${i}`, depth + 1))
  }
  if (schema.const !== undefined || schema.enum !== undefined) {
    only(schema.const === undefined ? 'enum' : 'const', 'type')
    return [addTexts(compiler.builder, spelledValues(schema, at))]
  }
  const types = typesOf(schema, asserted, at)
  if (types === undefined) {
    only()
    return [compiler.json.value]
  }
  only('type', ...types.flatMap((type) => KEYWORDS_OF[type] ?? []))
  return types.map((type) => ruleOfType(compiler, type, { schema, at, depth }))
}

/** As `type` says, or as keywords do that mean one type; undefined when nothing does. */
function typesOf(schema: Schema, asserted: string[], at: string): Type[] | undefined {
  if (schema.type === undefined) {
    const meant = TYPES.filter((type) => asserted.some((key) => KEYWORDS_OF[type]?.includes(key)))
    return meant.length > 0 ? meant : undefined
  }
  const given: unknown[] = Array.isArray(schema.type) ? schema.type : [schema.type]
  const types = given.map((name) => TYPES.find((type) => type === name))
  const wrong = types.indexOf(undefined)
  if (wrong >= 0 || types.length === 0)
    return refuse(`${at}/type`, `expected ${TYPES.join(', ')}, got ${told(given[wrong])}`)
  return types as Type[]
}

type Place = { schema: Schema; at: string; depth: number }

function ruleOfType(compiler: Compiler, type: Type, { schema, at, depth }: Place): Rule {
  const { builder, json } = compiler
  if (type === 'object') return objectRule(compiler, { schema, at, depth })
  if (type === 'array') {
    const items = schema.items === undefined ? json.value : ruleOf(compiler, schema.items, `${at}/items`, depth + 1)
    return addList(builder, items, boundsOf(schema, ['minItems', 'maxItems'], at))
  }
  // Bounds that are wider than any integer spelled here, as of JavaScript's safe integers, change nothing.
  for (const [key, sign] of [
    ['minimum', -1],
    ['maximum', 1],
  ] as const)
    if (type === 'integer' && schema[key] !== undefined && !(sign * Number(schema[key]) >= LARGEST_INTEGER))
      return refuse(`${at}/${key}`, `is not supported in constrained decoding within ${LARGEST_INTEGER}`)
  if (type !== 'string') return json[type]
  const bounds = boundsOf(schema, ['minLength', 'maxLength'], at)
  return bounds.least === 0 && bounds.most === Infinity ? json.string : addString(builder, json.character, bounds)
}

/** Properties in their order, optional ones left out or not. Without `properties`, any keys. */
function objectRule(compiler: Compiler, { schema, at, depth }: Place): Rule {
  const { builder: b, json } = compiler
  const { properties, required = [], additionalProperties: others } = schema
  if (properties === undefined) {
    if (!Array.isArray(required) || required.length > 0) refuse(`${at}/required`, 'expected properties that it names')
    if (others === false) return addTexts(b, ['{}'])
    if (others === undefined || others === true) return json.object
    return addMap(b, json.string, ruleOf(compiler, others, `${at}/additionalProperties`, depth + 1))
  }
  if (!isObject(properties)) return refuse(`${at}/properties`, 'expected an object of schemas')
  if (others !== undefined && others !== false)
    refuse(`${at}/additionalProperties`, 'beside properties is supported as false alone')
  if (!Array.isArray(required)) return refuse(`${at}/required`, 'expected a list of names')
  const unknown: unknown = required.find((name) => typeof name !== 'string' || !Object.hasOwn(properties, name))
  if (unknown !== undefined) refuse(`${at}/required`, `expected names of properties, got ${told(unknown)}`)
  const rule = b.rule()
  // Two lanes: nothing spelled yet, and something, after which a comma comes first.
  let none: number | undefined = b.text(rule.start, '{')
  let some: number | undefined
  for (const [name, value] of Object.entries(properties)) {
    const valueRule = ruleOf(compiler, value, `${at}/properties/${escape(name)}`, depth + 1)
    const after = b.state()
    for (const key of [none, some === undefined ? undefined : addComma(b, some)])
      if (key !== undefined) b.call(addColon(b, b.text(key, JSON.stringify(name))), valueRule, after)
    if (required.includes(name)) none = undefined
    else if (some !== undefined) b.jump(some, after)
    some = after
  }
  for (const lane of [none, some]) if (lane !== undefined) b.jump(b.text(lane, '}'), rule.end)
  return rule
}

function boundsOf(schema: Schema, [low, high]: [string, string], at: string): { least: number; most: number } {
  const read = (key: string, absent: number): number => {
    const value = schema[key]
    if (value === undefined) return absent
    if (typeof value === 'number' && value >= 0 && Number.isSafeInteger(value)) return value
    return refuse(`${at}/${key}`, `expected a whole number, got ${told(value)}`)
  }
  const bounds = { least: read(low, 0), most: read(high, Infinity) }
  if (bounds.least > bounds.most)
    refuse(`${at}/${low}`, `expected at most ${bounds.most}, as ${high}, got ${bounds.least}`)
  return bounds
}

/** Values of enum or const that `type` allows, as JSON. */
function spelledValues(schema: Schema, at: string): string[] {
  const key = schema.const === undefined ? 'enum' : 'const'
  const values: unknown = key === 'const' ? [schema.const] : schema.enum
  if (!Array.isArray(values) || (key === 'enum' && schema.const !== undefined))
    return refuse(`${at}/enum`, 'expected a list of values')
  const types = typesOf(schema, [], at)
  const fitting = values.filter((value) => types === undefined || types.some((type) => isOfType(value, type)))
  if (fitting.length === 0) refuse(`${at}/${key}`, 'expected a value that the type allows, got none')
  return fitting.map((value) => JSON.stringify(value))
}

function isOfType(value: unknown, type: Type): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isObject(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}

/** What a pointer such as `#/$defs/node` names. */
function resolve(root: unknown, ref: unknown, at: string): unknown {
  if (typeof ref !== 'string' || !/^#(\/|$)/.test(ref))
    return refuse(`${at}/$ref`, `expected a place in this schema such as #/$defs/name, got ${told(ref)}`)
  let found = root
  for (const step of ref.split('/').slice(1)) {
    const key = decode(step).replaceAll('~1', '/').replaceAll('~0', '~')
    found = (isObject(found) || Array.isArray(found)) && Object.hasOwn(found, key) ? (found as Schema)[key] : undefined
  }
  return found === undefined ? refuse(`${at}/$ref`, `names nothing in this schema: ${ref}`) : found
}

/** Percent escapes undone; what is none stays. */
function decode(step: string): string {
  try {
    return decodeURIComponent(step)
  } catch {
    return step
  }
}

/** A rule that comes back to itself before any byte (`anyOf` of itself) would never begin. */
function refuseEndless({ states }: Network, rules: Rule[]): void {
  const state = new Map<Rule, 'open' | 'done'>()
  const visit = (rule: Rule, depth: number): void => {
    if (state.get(rule) === 'done') return
    if (depth > DEEPEST) throw new DataError(`expected a JSON schema with at most ${DEEPEST} $ref or anyOf in a row`)
    if (state.has(rule)) throw new DataError('expected a JSON schema without $ref in a circle')
    state.set(rule, 'open')
    for (const { rule: called } of states[rule.start]!.calls) visit(called, depth + 1)
    state.set(rule, 'done')
  }
  for (const rule of rules) visit(rule, 0)
}

function refuse(field: string, message: string): never {
  throw new DataError(message, { field })
}

/** A value in a message: short, whatever it is. */
function told(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 80))
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return String(value)
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
