// hone data check: what would be set aside and why, as words, as a report, as the rows that are kept.
import {
  type Check,
  type CheckReport,
  CHECKS,
  checkRows,
  type Constraint,
  type HeldOut,
  type Kind,
  policiesOf,
  type Policy,
  type RowOf,
  saveVersion,
  streamRows,
  type Version,
  writeRows,
} from '#data'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import { loadTokenizer, type Tokenizer } from '#text'
import { type Common, formatOf, isFile, label, numberOf, pairsOf, readSource, workspaceOf } from './data-source.ts'
import { kebab } from './flags.ts'
import { output, type Output } from './output.ts'

const SHOWN_FINDINGS = 5

export type CheckCommandOptions = Common & {
  kind?: string
  heldOut?: string
  evaluation?: string
  rules?: string
  policy: string
  similarity?: string
  words?: string
  tokenBudget?: string
  model?: string
  kept?: string
  report?: string
  save?: boolean
}

export async function checkCommand(source: string, options: CheckCommandOptions): Promise<void> {
  const out = output(options)
  if (options.model !== undefined && options.tokenBudget === undefined)
    throw new ConfigError('--model would be ignored without --token-budget')
  const { kind, rows, version } = await readSource(source, options)
  if (options.save && !version) throw new ConfigError('--save needs a version: import the file first')
  const policy = policyOf(options.policy)
  refuseIgnored(options, policy, policiesOf(kind, policy))
  const tokenizer = options.model === undefined ? undefined : await tokenizerOf(options.model)
  const report = checkRows(rows, {
    kind,
    policy,
    similarity: numberOf('--similarity', options.similarity ?? '0.8', { low: 0.01, high: 1 }),
    contaminationWords: numberOf('--words', options.words ?? '13', { low: 3, high: 50, isWhole: true }),
    constraints: options.rules === undefined ? [] : await constraintsOf(options.rules, kind),
    heldOut: options.heldOut === undefined ? [] : await readHeldOut(options.heldOut, options),
    evaluation: options.evaluation === undefined ? [] : await readHeldOut(options.evaluation, options),
    ...(options.tokenBudget === undefined
      ? {}
      : { tokenBudget: numberOf('--token-budget', options.tokenBudget, { low: 1, isWhole: true }) }),
    ...(tokenizer ? { countTokens: (text: string) => tokenizer.encode(text).length } : {}),
  })
  if (options.report !== undefined) writeDurable(options.report, `${JSON.stringify(report, null, 2)}\n`)
  if (options.kept !== undefined) writeRows(options.kept, report.kept, { kind, format: formatOf(options.kept) })
  const saved = options.save && version ? await saveKept(version, report, workspaceOf(options)) : undefined
  const { kept, setAside, notes, ...rest } = report
  out.event({
    event: 'done',
    ...rest,
    kept: kept.length,
    setAside: setAside.map(({ index, reasons }) => ({ row: index + 1, reasons })),
    notes: notes.map(({ index, reasons }) => ({ row: index + 1, reasons })),
    ...(saved ? { version: saved.version } : {}),
  })
  sayReport(report, out)
  if (saved) out.say(`saved ${label(saved)}`)
}

/** What feeds checks: where all of them are off it would be ignored. */
const FEEDS = {
  heldOut: ['leak-group', 'leak-text'],
  evaluation: ['contamination'],
  rules: ['constraint'],
  tokenBudget: ['token-budget'],
  similarity: ['near-duplicate', 'leak-text'],
} as const satisfies Partial<Record<keyof CheckCommandOptions, readonly Check[]>>
/** And the checks that find nothing unless they are fed. */
const FED_BY = { contamination: 'evaluation', constraint: 'rules', 'token-budget': 'tokenBudget' } as const

function refuseIgnored(
  options: CheckCommandOptions,
  given: Partial<Record<Check, Policy>>,
  policies: Record<Check, Policy>,
): void {
  for (const [option, checks] of Object.entries(FEEDS))
    if (options[option as keyof typeof FEEDS] !== undefined && checks.every((check) => policies[check] === 'off'))
      throw new ConfigError(
        `--${kebab(option)} would be ignored where ${checks.join(' and ')} ${checks.length > 1 ? 'are' : 'is'} off; see --policy`,
      )
  for (const [check, option] of Object.entries(FED_BY) as [keyof typeof FED_BY, (typeof FED_BY)[keyof typeof FED_BY]][])
    if ((given[check] ?? 'off') !== 'off' && options[option] === undefined)
      throw new ConfigError(`--policy ${check} would be ignored without --${kebab(option)}`)
  if (options.words !== undefined && options.evaluation === undefined)
    throw new ConfigError('--words would be ignored without --evaluation')
}

async function saveKept(from: Version, { kind, kept, counts }: CheckReport<Kind>, workspace: string): Promise<Version> {
  const source = { check: counts }
  return (await saveVersion(workspace, kept, { kind, name: from.name, parents: [from.version], source })).version
}

function sayReport({ rows, kept, setAside, notes, counts, lengths }: CheckReport<Kind>, out: Output): void {
  out.say(`${rows} rows: ${kept.length} kept, ${setAside.length} set aside, ${notes.length} noted`)
  out.say(`length in ${lengths.unit}: ${lengths.least} to ${lengths.most}, median ${lengths.median}`)
  for (const [check, count] of Object.entries(counts)) {
    out.say(`\n${check}: ${count}  (${CHECKS[check as Check]})`)
    const found = [...setAside, ...notes].filter(({ reasons }) => reasons.some((reason) => reason.check === check))
    for (const { index, row, reasons } of found.slice(0, SHOWN_FINDINGS)) {
      const detail = reasons.find((reason) => reason.check === check)!.detail
      out.say(`  row ${index + 1}${'id' in row && row.id !== undefined ? ` (${row.id})` : ''}: ${detail}`)
    }
    if (found.length > SHOWN_FINDINGS) out.say(`  and ${found.length - SHOWN_FINDINGS} more`)
  }
}

/** Imported when asked for: most checks need neither models nor libtorch. */
async function tokenizerOf(model: string): Promise<Tokenizer> {
  const { resolveModel } = await import('#trainer')
  return loadTokenizer(resolveModel(model))
}

/** Rule terms as the reward of PPO has them: below 0 is a broken constraint. */
async function constraintsOf(file: string, kind: Kind): Promise<Constraint<RowOf[Kind]>[]> {
  if (kind !== 'demonstrations') throw new ConfigError(`--rules would be ignored for ${kind}: rules judge completions`)
  const { readRules } = await import('#trainer')
  return (await readRules(file)).map(({ name, weight, score }) => ({
    name,
    broken: (row) => {
      if (!('completion' in row)) return undefined
      const prompt = typeof row.prompt === 'string' ? row.prompt : row.prompt.map((turn) => turn.content).join('\n')
      const value = weight * score({ prompt, completion: row.completion, finished: true })
      return value < 0 ? `scores ${value}` : undefined
    },
  }))
}

/** Rows of any kind but judgements: a file's kind is that of its first row. */
async function readHeldOut(source: string, options: Common): Promise<HeldOut[]> {
  const kind = isFile(source) ? { kind: await kindOfFile(source) } : {}
  const { rows } = await readSource(source, { ...options, ...kind })
  return rows.map((row) => {
    if ('annotator' in row)
      throw new ConfigError(`expected prompts, demonstrations or comparisons, got judgements in ${source}`)
    return row
  })
}

async function kindOfFile(file: string): Promise<Kind> {
  for (const kind of ['demonstrations', 'comparisons'] as const)
    for await (const outcome of streamRows(file, kind)) {
      if ('row' in outcome) return kind
      break
    }
  return 'prompts'
}

function policyOf(given: string): Partial<Record<Check, Policy>> {
  const entries = pairsOf('--policy', given).map(([check, policy]) => {
    if (policy !== 'set-aside' && policy !== 'note' && policy !== 'off')
      throw new ConfigError(`--policy: expected set-aside, note or off for ${check}, got ${policy}`)
    return [check, policy]
  })
  return Object.fromEntries(entries) as Partial<Record<Check, Policy>>
}
