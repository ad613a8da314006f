// Rule terms made ready: each becomes a function of one row of text. Read from a JSON file; a rule that could never
// speak (a schema that does not parse, an export that is no function) is refused before the run starts.
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { tsImport } from 'tsx/esm/api'
import { ConfigError } from '#errors'
import { type RuleTerm, ruleTermsOf } from '#schema'

export type RuleRow = { prompt: string; completion: string; finished: boolean }
export type Rule = {
  name: string
  weight: number
  score: (row: RuleRow) => number
  /** As a rule of form: what is rewarded is there in full, what is punished is not there. */
  isHeld: (row: RuleRow) => boolean
}
type Scored = Omit<Rule, 'isHeld'>

/** A completion longer than this is not put to a regular expression or a JSON parser. */
const LONGEST = 100_000

/** Reads a JSON array of rule terms; paths in it are relative to the file. */
export async function readRules(file: string): Promise<Rule[]> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`--rules: expected a JSON array of rule terms, cannot read ${file}: ${String(cause)}`, {
      cause,
    })
  }
  const read = ruleTermsOf(text)
  if ('fault' in read) throw new ConfigError(`--rules ${file}: ${read.fault}`)
  return Promise.all(
    read.terms.map(async (term) => {
      const rule = await prepare(term, dirname(resolve(file)))
      // A length is at most 0 and then right; of the others 1 is all there is.
      const whole = term.kind === 'length' ? 0 : 1
      const isHeld = (row: RuleRow) => (term.weight < 0 ? rule.score(row) <= 0 : rule.score(row) >= whole)
      return { ...rule, isHeld }
    }),
  )
}

async function prepare(term: RuleTerm, folder: string): Promise<Scored> {
  const { name, weight } = term
  switch (term.kind) {
    case 'regex': {
      const pattern = new RegExp(term.pattern, term.flags)
      return { name, weight, score: ({ completion }) => (pattern.test(completion.slice(0, LONGEST)) ? 1 : 0) }
    }
    case 'length': {
      const { least, most } = term
      return { name, weight, score: ({ completion }) => -excess(completion.length, least, most) }
    }
    case 'json-schema': {
      const schema = readJsonSchema(resolve(folder, term.file), name)
      return { name, weight, score: ({ completion }) => (accepts(schema, completion.slice(0, LONGEST)) ? 1 : 0) }
    }
    case 'module':
      return { name, weight, score: await importScore(resolve(folder, term.file), term.export, name) }
    default:
      return term satisfies never
  }
}

function excess(length: number, least: number, most: number): number {
  if (length > most) return (length - most) / most
  return length < least ? (least - length) / least : 0
}

/** JSON Schema 2020-12, strict: a keyword that would be ignored is refused. */
function readJsonSchema(file: string, name: string): (value: unknown) => boolean {
  try {
    const validate = new Ajv2020({ strict: true }).compile(JSON.parse(readFileSync(file, 'utf8')) as object)
    return (value) => validate(value)
  } catch (cause) {
    throw new ConfigError(`--rules: ${name}: expected a JSON schema in ${file}: ${String(cause)}`, { cause })
  }
}

function accepts(validate: (value: unknown) => boolean, text: string): boolean {
  try {
    return validate(JSON.parse(text))
  } catch {
    return false
  }
}

async function importScore(file: string, exported: string, name: string): Promise<Rule['score']> {
  let module: Record<string, unknown>
  try {
    const { href } = pathToFileURL(file)
    module = (await (file.endsWith('ts') ? tsImport(href, href) : import(href))) as Record<string, unknown>
  } catch (cause) {
    throw new ConfigError(`--rules: ${name}: cannot import ${file}: ${String(cause)}`, { cause })
  }
  // In a folder that is not said to hold ES modules, TypeScript's exports lie one deeper.
  const deeper = module.default as Record<string, unknown> | undefined
  const score = typeof module[exported] === 'function' ? module[exported] : deeper?.[exported]
  if (typeof score !== 'function')
    throw new ConfigError(
      `--rules: ${name}: expected ${file} to export a function ${exported}, got ${typeof module[exported]}`,
    )
  return (row) => {
    const value: unknown = (score as (row: RuleRow) => unknown)(row)
    if (typeof value === 'number' && Number.isFinite(value)) return value
    throw new ConfigError(`--rules: ${name}: expected a finite number from ${file}, got ${String(value)}`)
  }
}
