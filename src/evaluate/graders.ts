// Graders: a completion and what was wanted, in; a score from 0 to 1, out. Deterministic checks only; people judge by feedback.
// Left out: judges that are models themselves, until they can be held against people.
import { Ajv2020 } from 'ajv/dist/2020.js'
import { ConfigError, DataError } from '#errors'
import { average, boundedMean, deriveSeed, type Interval, wilson } from '#stats'

export type GradedRow = { completion: string; reference?: string; id?: string; group?: string }
export type Grade = (completion: string, reference: string | undefined) => number

export type GraderSpec =
  | { metric: 'exact' }
  | { metric: 'contains' }
  | { metric: 'regex'; pattern: string; flags?: string }
  | { metric: 'numeric'; tolerance?: number }
  | { metric: 'json'; schema?: object }

/** Texts are cut here before a pattern sees them: a hostile text and a slow pattern must not stop an evaluation. */
const LONGEST_FOR_PATTERN = 100_000

/**
 * exact: equal after trimming and folding white space. contains: the reference occurs. regex: the pattern matches. numeric: the last
 * number of the completion is the reference's within `tolerance` (share of its size). json: parses, and fits the schema if given.
 * @throws ConfigError for a pattern or schema that cannot be read
 */
export function graderOf(spec: GraderSpec): Grade {
  switch (spec.metric) {
    case 'exact':
      return (completion, reference) => Number(fold(completion) === fold(wanted(reference, spec.metric)))
    case 'contains':
      return (completion, reference) => Number(fold(completion).includes(fold(wanted(reference, spec.metric))))
    case 'regex': {
      const pattern = compile(spec.pattern, spec.flags)
      return (completion) => Number(pattern.test(completion.slice(0, LONGEST_FOR_PATTERN)))
    }
    case 'numeric':
      return (completion, reference) => {
        const target = lastNumber(wanted(reference, spec.metric))
        if (target === undefined)
          throw new DataError(`expected a number in the reference, got ${JSON.stringify(reference)}`, {
            field: 'reference',
          })
        const answer = lastNumber(completion)
        return Number(
          answer !== undefined && Math.abs(answer - target) <= (spec.tolerance ?? 1e-6) * Math.max(1, Math.abs(target)),
        )
      }
    case 'json': {
      const fits = spec.schema ? compileSchema(spec.schema) : () => true
      return (completion) => {
        try {
          return Number(fits(JSON.parse(completion)))
        } catch {
          return 0 // text that is not JSON is a wrong answer, not an error
        }
      }
    }
    default:
      throw new ConfigError(`unknown metric ${JSON.stringify(spec satisfies never)}`)
  }
}

export type SuiteResult = { mean: Interval; scores: number[] }

/** Grades every row; `mean` as meanScore has it. Errors name the row. */
export function gradeRows(
  rows: readonly GradedRow[],
  grade: Grade,
  { seed, level = 0.95 }: { seed: number; level?: number },
): SuiteResult {
  if (rows.length === 0) throw new DataError('a suite needs at least one row, got none')
  const scores = rows.map(({ completion, reference }, i) => {
    try {
      return grade(completion, reference)
    } catch (error) {
      if (error instanceof DataError) throw new DataError(error.message, { line: i + 1 }, { cause: error })
      throw error
    }
  })
  const clusters = rows.map((row, i) => row.group ?? `row ${i}`)
  return { mean: meanScore(scores, { seed: deriveSeed(seed, 'suite'), level, clusters }), scores }
}

/**
 * Mean of scores from 0 to 1, `clusters` naming one group a score. Yes-or-no scores of groups of one get Wilson's interval, others a
 * bootstrap over groups; scores that are all alike get a width from the number of groups, not none.
 */
export function meanScore(
  scores: readonly number[],
  { seed, level = 0.95, clusters }: { seed: number; level?: number; clusters: readonly string[] },
): Interval {
  const isBinary = scores.every((score) => score === 0 || score === 1)
  if (isBinary && new Set(clusters).size === scores.length)
    return wilson(average(scores) * scores.length, scores.length, level)
  return boundedMean(scores, { bounds: [0, 1], seed, level, clusters })
}

function wanted(reference: string | undefined, metric: string): string {
  if (reference === undefined) throw new DataError(`the metric ${metric} needs a reference`, { field: 'reference' })
  return reference
}

function fold(text: string): string {
  return text.trim().replace(/\s+/g, ' ')
}

/** Thousands separators are read over: 1,234.5 is one number. */
function lastNumber(text: string): number | undefined {
  const found = text.slice(-LONGEST_FOR_PATTERN).match(/-?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?/g)
  return found ? Number(found.at(-1)!.replaceAll(',', '')) : undefined
}

function compile(pattern: string, flags = ''): RegExp {
  // A pattern that remembers where it stopped would grade equal texts differently.
  if (/[gy]/.test(flags)) throw new ConfigError(`the flags g and y have no meaning for a grader, got ${flags}`)
  try {
    return new RegExp(pattern, flags)
  } catch (cause) {
    throw new ConfigError(`expected a regular expression, got ${pattern}`, { cause })
  }
}

function compileSchema(schema: object): (value: unknown) => boolean {
  try {
    const validate = new Ajv2020({ strict: true }).compile(schema)
    return (value) => validate(value)
  } catch (cause) {
    throw new ConfigError(`expected a JSON schema (2020-12): ${String(cause)}`, { cause })
  }
}
