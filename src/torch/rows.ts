// From a libtorch schema string to the TypeScript function of one op. Pure text to text: `scripts/generate-ops.ts`
// writes `ops.ts` with it, and a test compares `ops.ts` with the schemas of the library that is loaded.
// Arguments without a default are positional, and so are defaulted ones that are not booleans; defaulted booleans and
// keyword-only arguments are fields of one last options object. Layout, pinning and memory format are left out.

export type Argument = { type: string; name: string; hasDefault: boolean; isKeywordOnly: boolean }
export type Schema = { name: string; arguments: Argument[]; returns: string[]; writesSelf: boolean }

const LEFT_OUT = new Set(['Layout?', 'MemoryFormat?', 'MemoryFormat', 'pin_memory', 'non_blocking'])

/** Reads `ns::name.overload(Type name=default, *, ...) -> Type`. Sizes of lists, alias marks and SymInt are dropped: they differ between versions and mean the same here. */
export function parseSchema(text: string): Schema {
  const match = /^([\w:.]+)\((.*)\) -> (.*)$/.exec(text)
  if (!match) throw new Error(`not a schema: ${text}`)
  const [, name, args, returns] = match as unknown as [string, string, string, string]
  const parsed: Argument[] = []
  let isKeywordOnly = false
  for (const part of splitTop(args)) {
    if (part === '*') {
      isKeywordOnly = true
      continue
    }
    const space = part.search(/ \w+(=|$)/)
    const [argument, ...rest] = part.slice(space + 1).split('=')
    parsed.push({ type: plainType(part.slice(0, space)), name: argument!, hasDefault: rest.length > 0, isKeywordOnly })
  }
  const isTuple = returns.startsWith('(')
  return {
    name,
    arguments: parsed,
    returns: splitTop(isTuple ? returns.slice(1, -1) : returns).map((r) => plainType(r.replace(/ \w+$/, ''))),
    writesSelf: /\(\w+!\)/.test(returns),
  }
}

/** The function of one op as TypeScript, with its schema above it. `index` is its place in `OP_LIST`. */
export function opFunction(
  schema: Schema,
  { text, functionName, index }: { text: string; functionName: string; index: number },
): string {
  const isFactory = !schema.arguments.some((a) => a.type.startsWith('Tensor'))
  const positional: string[] = []
  const options: string[] = []
  const optionNames: string[] = []
  const passed: string[] = []
  for (const a of schema.arguments) {
    if (isLeftOut(a)) {
      passed.push('undefined')
      continue
    }
    const name = camelCase(a.name)
    const type = typeScriptType(a.type)
    const isOption = (a.isKeywordOnly && a.hasDefault) || (a.hasDefault && a.type === 'bool')
    if (isOption) {
      options.push(`${name}?: ${type}`)
      optionNames.push(isFactory && a.name === 'dtype' ? `${name} = 'float32'` : name)
    } else positional.push(a.hasDefault ? `${name}?: ${type}` : `${name}: ${type}`)
    passed.push(passedValue(a.type, name))
  }
  while (passed.at(-1) === 'undefined') passed.pop()
  if (options.length > 0) positional.push(`{ ${optionNames.join(', ')} }: { ${options.join('; ')} } = {}`)
  const call = `addon().call(${[index, ...passed].join(', ')})`
  const body = schema.writesSelf
    ? `  ${call}\n  return ${camelCase(schema.arguments[0]!.name)}`
    : `  return ${returned(schema.returns, call)}`
  return `/** ${text} */\nexport function ${functionName}(${positional.join(', ')}): ${returnType(schema)} {\n${body}\n}\n`
}

/** What two libraries must agree on for one row to serve both: names and types in order; more defaulted arguments at the end may follow. */
export function isSameRow(row: Schema, loaded: Schema): boolean {
  const sameReturns = row.returns.join() === loaded.returns.join() && row.writesSelf === loaded.writesSelf
  const shown = row.arguments.filter((a) => !isLeftOut(a))
  return (
    sameReturns &&
    shown.every((a) => {
      const at = row.arguments.indexOf(a)
      const b = loaded.arguments[at]
      return b !== undefined && b.name === a.name && (b.type === a.type || b.type === `${a.type}?`)
    }) &&
    loaded.arguments.slice(row.arguments.length).every((a) => a.hasDefault)
  )
}

function isLeftOut(a: Argument): boolean {
  return LEFT_OUT.has(a.type) || LEFT_OUT.has(a.name)
}

function splitTop(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let part = ''
  for (const c of text) {
    if ('([{'.includes(c)) depth++
    if (')]}'.includes(c)) depth--
    if (c === ',' && depth === 0) {
      parts.push(part.trim())
      part = ''
    } else part += c
  }
  if (part.trim()) parts.push(part.trim())
  return parts
}

function plainType(type: string): string {
  return type
    .replace(/\(\w+!?( -> \*)?\)/, '')
    .replace('SymInt', 'int')
    .replace(/\[\d+\]/, '[]')
}

function typeScriptType(type: string): string {
  if (type.endsWith('?')) return `${typeScriptType(type.slice(0, -1))} | null`.replace(' | null | null', ' | null')
  const known: Record<string, string> = {
    Tensor: 'Tensor',
    'Tensor[]': 'readonly Tensor[]',
    Scalar: 'number',
    int: 'number',
    float: 'number',
    bool: 'boolean',
    'int[]': 'readonly number[]',
    'float[]': 'readonly number[]',
    ScalarType: 'DType',
    Device: 'string',
    Generator: 'Generator',
    str: 'string',
  }
  const found = known[type]
  if (!found) throw new Error(`no TypeScript type for ${type}`)
  return found
}

function passedValue(type: string, name: string): string {
  const known: Record<string, string> = {
    Tensor: `${name}.handle`,
    'Tensor?': `${name}?.handle`,
    'Tensor[]': `handles(${name})`,
    'ScalarType?': `dtypeCode(${name})`,
    ScalarType: `dtypeCode(${name})`,
    Generator: `${name}.handle`,
    'Generator?': `${name}?.handle`,
  }
  return known[type] ?? name
}

function returned(returns: string[], call: string): string {
  if (returns.length === 0) return `void ${call}`
  if (returns.length > 1) return `wrapAll(${call} as number[]) as [${returns.map(() => 'Tensor').join(', ')}]`
  const [one] = returns
  if (one === 'Tensor') return `wrap(${call} as number)`
  if (one === 'Tensor[]') return `wrapAll(${call} as number[])`
  return `${call} as ${typeScriptType(one!)}`
}

function returnType(schema: Schema): string {
  const { returns } = schema
  if (returns.length === 0) return 'void'
  if (returns.length > 1) return `[${returns.map(() => 'Tensor').join(', ')}]`
  return returns[0] === 'Tensor[]' ? 'Tensor[]' : typeScriptType(returns[0]!)
}

function camelCase(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
}
