// What gates read: statistics of evaluations under SUITE.METRIC, or METRIC where there is one suite, and those of earlier
// models under LABEL.SUITE.METRIC; intervals say at which level and in which evaluation they were measured. And the one model that all unlabelled evaluations must be of.
import { ConfigError } from '#errors'
import { markIntervals } from './levels.ts'

/** `label`: where its statistics lie; without one the evaluation is of the model that is put to the gates. */
export type GivenEvaluation = {
  label?: string
  /** What errors call it. */
  file: string
  evaluation: {
    model: { path: string; hash: string }
    suite: { name: string }
    settings: Record<string, unknown>
    statistics: Record<string, unknown>
  }
}

/** The model that is put to the gates. */
export function modelOfEvaluations(given: readonly GivenEvaluation[]): { path: string; hash: string } {
  const models = given.flatMap(({ label, evaluation }) => (label === undefined ? [evaluation.model] : []))
  const first = models[0]
  if (!first)
    throw new ConfigError('expected an evaluation without a label: it names the model that is put to the gates')
  const other = models.find(({ hash }) => hash !== first.hash)
  if (other)
    throw new ConfigError(
      `expected evaluations of one model, got ${first.path} and ${other.path}: give the one to compare with a label`,
    )
  return first
}

export function gateStatistics(given: readonly GivenEvaluation[]): Record<string, unknown> {
  const all: Record<string, Record<string, unknown>> = {}
  const labels: Record<string, Record<string, Record<string, unknown>>> = {}
  for (const { label, file, evaluation } of given) {
    const { suite, settings, statistics } = evaluation
    const suites = label === undefined ? all : (labels[label] ??= {})
    const before = (suites[suite.name] ??= {})
    const twice = Object.keys(statistics).find((key) => Object.hasOwn(before, key) && !isCommon(key))
    if (twice !== undefined)
      throw new ConfigError(`expected ${suite.name}.${twice} once, got it again in ${file}: leave one of the two out`)
    const facts = { evaluation: file, ...(typeof settings.level === 'number' && { level: settings.level }) }
    Object.assign(before, markIntervals(statistics, facts))
  }
  const clash = Object.keys(labels).find((label) => Object.hasOwn(all, label))
  if (clash !== undefined) throw new ConfigError(`the label ${clash} is the name of a suite too: choose another`)
  return {
    ...withShortNames(all),
    ...Object.fromEntries(Object.entries(labels).map(([k, v]) => [k, withShortNames(v)])),
  }
}

/** Of a single suite METRIC is enough for SUITE.METRIC; where a metric bears the suite's name, it is the metric that is meant. */
function withShortNames(suites: Record<string, Record<string, unknown>>): Record<string, unknown> {
  const [only, ...others] = Object.values(suites)
  return others.length === 0 ? { ...suites, ...only } : suites
}

/** What every metric of drawn completions tells besides. */
function isCommon(key: string): boolean {
  return ['finished', 'tokens', 'rows'].includes(key)
}
