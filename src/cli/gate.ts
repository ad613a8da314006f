// hone gate: rules over evaluations, and the verdict with its evidence. Exit code 0 released, 1 refused.
import fs from 'node:fs'
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { decideRelease, Gate, type Verdict } from '#evaluate'
import { sha256File, writeDurable } from '#files'
import { type Evaluation, readEvaluation, readJsonFile } from '#lineage'
import { artifactsOf, hashModel } from '#trainer'
import type { Command } from 'commander'
import { output } from './output.ts'

type Options = { rules: string; evaluation: string[]; out?: string; json?: boolean }
/** `label`: where its statistics lie; without one the evaluation is of the model that is put to the gates. */
type Given = { label?: string; file: string; evaluation: Evaluation }

export function gateCommand(program: Command): void {
  program
    .command('gate')
    .description('put a model to rules over its evaluations: released (exit code 0) or refused (1), with the evidence')
    .requiredOption(
      '--rules <file>',
      'JSON array of rules {name, statistic, bound, comparison, value}; statistic is SUITE.METRIC, such as held-out.exact, or METRIC where there is one suite',
    )
    .requiredOption(
      '--evaluation <file...>',
      'what hone evaluate --out wrote; LABEL=FILE puts an earlier model under LABEL.SUITE.METRIC, to compare with',
    )
    .option('--out <file>', 'the verdict with everything it rests on, as JSON')
    .option('--json', 'events as JSON lines on standard output')
    .action(gate)
}

function gate(options: Options): void {
  const out = output(options)
  const rules = readRules(options.rules)
  const given = options.evaluation.map(readGiven)
  const model = modelOf(given)
  const verdict = decideRelease(rules, statisticsOf(given))
  const simulated = given.some(({ evaluation }) => evaluation.simulated)
  if (options.out !== undefined) {
    const evaluations = given.map(({ label, file }) => ({ file, ...(label !== undefined && { label }) }))
    writeRelease(options.out, { verdict, model, rules: options.rules, evaluations, simulated })
  }
  out.event({ event: 'done', ...verdict, model, simulated, ...(options.out !== undefined && { file: options.out }) })
  for (const { name, passed, evidence, rule } of verdict.gates)
    out.say(`${passed ? 'passed ' : 'FAILED '} ${name}: ${evidence}${rule === undefined ? '' : `  (rule: ${rule})`}`)
  out.say(`${verdict.verdict}: ${model.path}${simulated ? ' (judged by simulated annotators)' : ''}`)
  if (verdict.verdict === 'refused') process.exitCode = 1
}

function readRules(file: string): Gate[] {
  const parsed = z.array(Gate).min(1).safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected a JSON array of rules: ${message}`, { file, field: path.join('.') })
}

/** A file that is there wins over LABEL=FILE. */
function readGiven(text: string): Given {
  const [, label, rest] = /^([\w-]+)=(.+)$/s.exec(text) ?? []
  if (label === undefined || rest === undefined || fs.existsSync(text))
    return { file: text, evaluation: readEvaluation(text) }
  return { label, file: rest, evaluation: readEvaluation(rest) }
}

/** The one model that is put to the gates; its files must still be those that were evaluated. */
function modelOf(given: Given[]): Evaluation['model'] {
  const models = given.flatMap(({ label, evaluation }) => (label === undefined ? [evaluation.model] : []))
  const first = models[0]
  if (!first)
    throw new ConfigError('expected an --evaluation without a label: it names the model that is put to the gates')
  const other = models.find(({ hash }) => hash !== first.hash)
  if (other)
    throw new ConfigError(
      `expected evaluations of one model, got ${first.path} and ${other.path}: give the one to compare with a label, LABEL=FILE`,
    )
  if (fs.existsSync(first.path) && hashModel(first.path) !== first.hash)
    throw new DataError('changed since it was evaluated: evaluate it again', { file: first.path })
  return first
}

function statisticsOf(given: Given[]): Record<string, unknown> {
  const all: Record<string, Record<string, unknown>> = {}
  const labels: Record<string, Record<string, Record<string, unknown>>> = {}
  for (const { label, file, evaluation } of given) {
    const { suite, statistics } = evaluation
    const suites = label === undefined ? all : (labels[label] ??= {})
    const before = (suites[suite.name] ??= {})
    const twice = Object.keys(statistics).find((key) => Object.hasOwn(before, key) && !isCommon(key))
    if (twice !== undefined)
      throw new ConfigError(`expected ${suite.name}.${twice} once, got it again in ${file}: leave one of the two out`)
    Object.assign(before, statistics)
  }
  const clash = Object.keys(labels).find((label) => Object.hasOwn(all, label))
  if (clash !== undefined) throw new ConfigError(`the label ${clash} is the name of a suite too: choose another`)
  return {
    ...withShortNames(all),
    ...Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, withShortNames(v)])),
  }
}

/** Of a single suite METRIC is enough for SUITE.METRIC. */
function withShortNames(suites: Record<string, Record<string, unknown>>): Record<string, unknown> {
  const [only, ...others] = Object.values(suites)
  return others.length === 0 ? { ...only, ...suites } : suites
}

/** What every metric of drawn completions tells besides. */
function isCommon(key: string): boolean {
  return ['finished', 'tokens', 'rows'].includes(key)
}

/** The verdict with everything it rests on, by hash. */
export function writeRelease(
  file: string,
  o: {
    verdict: Verdict
    model: Evaluation['model']
    rules: string
    evaluations: { file: string; label?: string }[]
    simulated: boolean
  },
): void {
  const { verdict, model, rules, simulated } = o
  const evaluations = o.evaluations.map(({ label, file: path }) => ({
    ...artifactsOf({ evaluation: path }, {}).evaluation!,
    ...(label !== undefined && { label }),
  }))
  const release = {
    kind: 'release',
    ...verdict,
    model,
    rules: { path: rules, hash: sha256File(rules) },
    evaluations,
    simulated,
  }
  writeDurable(file, `${JSON.stringify(release, null, 2)}\n`)
}
