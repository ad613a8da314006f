// hone gate: rules over evaluations, and targets of an objective as rules; the verdict with its evidence. Exit code 0 released, 1 refused.
import fs from 'node:fs'
import { z } from 'zod'
import { ConfigError, DataError } from '#errors'
import { decideRelease, Gate, gatesOfObjective, gateStatistics, modelOfEvaluations, type Verdict } from '#evaluate'
import { sha256File, writeDurable } from '#files'
import {
  type Evaluation,
  objectivesBehind,
  objectivesDiffer,
  opponentsOf,
  readEvaluation,
  readJsonFile,
  readObjectiveFile,
  type Release,
  type Under,
} from '#lineage'
import { artifactsOf, hashModel } from '#trainer'
import type { Command } from 'commander'
import { objectiveOf } from './objective.ts'
import { output } from './output.ts'
import { weightedLines } from './weighted-lines.ts'

type Options = { rules?: string; objective?: string; evaluation: string[]; out?: string; json?: boolean }
/** `label`: where its statistics lie; without one the evaluation is of the model that is put to the gates. */
type Given = { label?: string; file: string; evaluation: Evaluation }

export function gateCommand(program: Command): void {
  program
    .command('gate')
    .description(
      'put a model to rules over its evaluations, and to the targets of an objective: released (exit code 0) or refused (1), with the evidence',
    )
    .option(
      '--rules <file>',
      'JSON array of rules {name, statistic, bound, comparison, value, level}; statistic is SUITE.METRIC, such as held-out.exact, or METRIC where there is one suite',
    )
    .option(
      '--objective <file>',
      'objective.json: each target is a rule, over SUITE.CRITERION.STATISTIC (without it, the verdict names that of the workspace)',
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
  const targets = options.objective === undefined ? [] : readTargets(options.objective)
  const rules = [...(options.rules === undefined ? [] : readRules(options.rules)), ...targets]
  if (rules.length === 0)
    throw new ConfigError('expected --rules, --objective or both: nothing is released without a rule')
  const given = options.evaluation.map(readGiven)
  const model = modelOf(given)
  const verdict = decideRelease(rules, gateStatistics(given))
  const simulated = given.some(({ evaluation }) => evaluation.simulated)
  const { objective: path } = options
  const stamp = objectiveOf(options)
  const objective = stamp && { ...stamp, ...(path !== undefined && { path }) }
  const differ = objectivesDiffer({ what: 'this gate', objective }, underOf(given))
  const under = { objective, objectivesDiffer: differ }
  if (options.out !== undefined) {
    const evaluations = given.map(({ label, file }) => ({ file, ...(label !== undefined && { label }) }))
    const { rules: file } = options
    writeRelease(options.out, { verdict, model, rules: file, ...under, evaluations, simulated })
  }
  out.event({
    event: 'done',
    ...verdict,
    model,
    ...under,
    simulated,
    ...(options.out !== undefined && { file: options.out }),
  })
  for (const { name, passed, evidence, rule } of verdict.gates)
    out.say(`${passed ? 'passed ' : 'FAILED '} ${name}: ${evidence}${rule === undefined ? '' : `  (rule: ${rule})`}`)
  for (const { evaluation } of given) for (const line of weightedLines(evaluation.statistics)) out.say(line)
  if (differ !== undefined) out.warn(differ)
  out.say(`${verdict.verdict}: ${model.path}${simulated ? ' (judged by simulated annotators)' : ''}`)
  if (verdict.verdict === 'refused') process.exitCode = 1
}

function readRules(file: string): Gate[] {
  const parsed = z.array(Gate).min(1).safeParse(readJsonFile(file))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new DataError(`expected a JSON array of rules: ${message}`, { file, field: path.join('.') })
}

function readTargets(file: string): Gate[] {
  const gates = gatesOfObjective(readObjectiveFile(file).objective)
  if (gates.length === 0)
    throw new ConfigError(
      `--objective would be ignored: no criterion of ${file} has a target; write one, or give --rules`,
    )
  return gates
}

/** Evaluations, their judgements and their models, down to the labels behind the weights. */
function underOf(given: Given[]): Under[] {
  return given.flatMap(({ file, evaluation }) => {
    const { objective, model, judgements = [] } = evaluation
    return [
      ...(objective ? [{ what: `evaluation ${file}`, objective }] : []),
      ...objectivesBehind({ model, ...opponentsOf(evaluation) }),
      ...judgements.flatMap((judged) => objectivesBehind({ judgements: judged })),
    ]
  })
}

/** A file that is there wins over LABEL=FILE. */
function readGiven(text: string): Given {
  const [, label, rest] = /^([\w-]+)=(.+)$/s.exec(text) ?? []
  if (label === undefined || rest === undefined || fs.existsSync(text))
    return { file: text, evaluation: readEvaluation(text) }
  return { label, file: rest, evaluation: readEvaluation(rest) }
}

/** Its files must still be those that were evaluated. */
function modelOf(given: Given[]): Evaluation['model'] {
  const model = modelOfEvaluations(given)
  if (fs.existsSync(model.path) && hashModel(model.path) !== model.hash)
    throw new DataError('changed since it was evaluated: evaluate it again', { file: model.path })
  return model
}

/** The verdict with everything it rests on, by hash. */
export function writeRelease(
  file: string,
  o: {
    verdict: Verdict
    model: Evaluation['model']
    rules?: string | undefined
    objective: Release['objective']
    /** Said where evaluations, models or labels are of other objectives. */
    objectivesDiffer: string | undefined
    evaluations: { file: string; label?: string }[]
    simulated: boolean
  },
): void {
  const { verdict, model, rules, objective, objectivesDiffer: differ, simulated } = o
  const evaluations = o.evaluations.map(({ label, file: path }) => ({
    ...artifactsOf({ evaluation: path }, {}).evaluation!,
    ...(label !== undefined && { label }),
  }))
  const release = {
    kind: 'release',
    ...verdict,
    model,
    ...(rules !== undefined && { rules: { path: rules, hash: sha256File(rules) } }),
    ...(objective && { objective }),
    ...(differ !== undefined && { objectivesDiffer: differ }),
    evaluations,
    simulated,
  }
  writeDurable(file, `${JSON.stringify(release, null, 2)}\n`)
}
