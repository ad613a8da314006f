// hone label plan: how many pairs and judgements a question needs, before anybody is asked. Ties are not counted on: they only
// lessen what is needed of a win rate. Items that more than two people judge count for agreement as if two had.
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import {
  type Design,
  designEffect,
  trialsForMean,
  trialsForMeanPrecision,
  trialsForPower,
  trialsForPrecision,
} from '#stats'
import { type Common, numberOf } from './data-source.ts'
import { kebab } from './flags.ts'
import { figure, output } from './output.ts'

const STATISTICS = ['win-rate', 'change', 'agreement'] as const
type Statistic = (typeof STATISTICS)[number]
type Options = Common & {
  expect?: string
  against?: string
  halfWidth?: string
  deviation?: string
  level: string
  power?: string
  models?: string
  overlap?: string
  perPrompt: string
  withinPair?: string
  withinPrompt?: string
}
/** Just inside 0 and 1. */
const SHARE = { low: 0.0001, high: 0.9999 }
const ANY = { low: -1e9, high: 1e9 }
/** Of two answers, by chance: agreement is planned as a share of pairs of people who say the same. */
const CHANCE = 0.5

export function labelPlan(add: (name: string, help: string) => Command): void {
  add(
    'plan <statistic>',
    `how many pairs and judgements it takes to see a ${STATISTICS.join(', ')}, before anybody is asked`,
  )
    .option(
      '--expect <value>',
      "what is expected to be true: a win rate, a change by a criterion, Krippendorff's alpha",
    )
    .option('--against <value>', 'what it must be told from (default: 0.5 of a win rate, 0 of a change)')
    .option('--half-width <value>', 'instead of --against: how far the interval may reach to each side')
    .option('--deviation <value>', 'of change: standard deviation of one difference, in the units of the criterion')
    .option('--level <share>', 'coverage of the interval', '0.95')
    .option('--power <share>', 'chance to see what is expected (default: 0.8)')
    .option('--models <n>', 'of win-rate: so many models, each two of which meet as often (default: 2)')
    .option('--overlap <n>', 'judgements a pair (default: 1, of agreement 2)')
    .option('--per-prompt <n>', 'pairs a prompt', '1')
    .option(
      '--within-pair <correlation>',
      "of two people's judgements of one pair, such as a pilot's alpha; needed above overlap 1",
    )
    .option(
      '--within-prompt <correlation>',
      'of judgements of different pairs of one prompt; needed above --per-prompt 1',
    )
    .action(planCommand)
}

function planCommand(name: string, options: Options): void {
  const out = output(options)
  const statistic = STATISTICS.find((known) => known === name)
  if (!statistic) throw new ConfigError(`expected ${STATISTICS.join(', ')}, got ${name}`)
  refuseIgnored(statistic, options)
  const design = designOf(statistic, options)
  const { trials, ...asked } = trialsOf(statistic, options)
  // Two judgements make one trial of agreement, and what they share is what is measured.
  const effect = designEffect(statistic === 'agreement' ? { ...design, overlap: 1 } : design)
  const perPair = statistic === 'agreement' ? 1 : design.overlap
  const prompts = Math.ceil((trials * effect) / (perPair * design.perPrompt))
  const models = numberOf('--models', options.models ?? '2', { low: 2, isWhole: true })
  const couples = (models * (models - 1)) / 2
  const pairs = prompts * design.perPrompt * couples
  const plan = { prompts, pairs, judgements: pairs * design.overlap, trials, designEffect: effect }
  out.event({ event: 'done', statistic, ...asked, ...design, ...(couples > 1 && { models, couples }), ...plan })
  out.say(
    `${plan.judgements} judgements: ${pairs} pairs of ${prompts} prompts, ${couples > 1 ? `${prompts * design.perPrompt} for each two of ${models} models, ` : ''}${design.overlap} a pair; ${trials} independent ${statistic === 'agreement' ? 'pairs' : 'judgements'} would do, and the design effect is ${figure(effect)}`,
  )
}

function refuseIgnored(statistic: Statistic, options: Options): void {
  const ignored: [keyof Options, boolean, string][] = [
    ['against', options.halfWidth !== undefined, 'with --half-width nothing is told from anything'],
    ['power', options.halfWidth !== undefined, 'with --half-width nothing is told from anything'],
    ['deviation', statistic !== 'change', 'it is of a change'],
    [
      'expect',
      statistic === 'change' && options.halfWidth !== undefined,
      'the width of a change depends on its deviation',
    ],
    ['models', statistic !== 'win-rate', 'it is of a win-rate'],
    ['withinPair', statistic === 'agreement', 'that is what agreement measures'],
    ['withinPair', (options.overlap ?? '1') === '1', 'one judgement a pair has no other beside it'],
    ['withinPrompt', options.perPrompt === '1', 'one pair a prompt has no other beside it'],
  ]
  const first = ignored.find(([option, isIgnored]) => isIgnored && options[option] !== undefined)
  if (first) throw new ConfigError(`--${kebab(first[0])} would be ignored: ${first[2]}`)
}

function designOf(statistic: Statistic, options: Options): Design {
  const isAgreement = statistic === 'agreement'
  const overlap = numberOf('--overlap', options.overlap ?? (isAgreement ? '2' : '1'), {
    low: isAgreement ? 2 : 1,
    isWhole: true,
  })
  const perPrompt = numberOf('--per-prompt', options.perPrompt, { low: 1, isWhole: true })
  const correlation = (flag: string, given: string | undefined, isNeeded: boolean, high = 1): number => {
    if (!isNeeded) return 0
    if (given === undefined)
      throw new ConfigError(
        `expected ${flag}, how far such judgements go together from 0 to 1: take it from a pilot, or 1 to be safe`,
      )
    return numberOf(flag, given, { low: 0, high })
  }
  const withinPair = correlation('--within-pair', options.withinPair, overlap > 1 && !isAgreement)
  // Two judgements of one pair share its prompt as well.
  const most = overlap > 1 && !isAgreement ? withinPair : 1
  const withinPrompt = correlation('--within-prompt', options.withinPrompt, perPrompt > 1, most)
  return { overlap, perPrompt, withinPair, withinPrompt }
}

type Trials = { trials: number; level: number; power?: number; expect?: number; against?: number; halfWidth?: number }

function trialsOf(statistic: Statistic, options: Options): Trials {
  const level = numberOf('--level', options.level, { low: 0.5, high: 0.9999 })
  if (options.halfWidth !== undefined) return { level, ...forPrecision(statistic, options, level) }
  const power = numberOf('--power', options.power ?? '0.8', { low: 0.5, high: 0.9999 })
  const expect = expectedOf(statistic, options)
  const against = againstOf(statistic, options)
  if (expect === against)
    throw new ConfigError(`--expect: expected another value than ${against}, which it must be told from`)
  const told = { level, power, expect, against }
  switch (statistic) {
    case 'win-rate':
      return { ...told, trials: trialsForPower(expect, { null: against, power, level }) }
    case 'agreement':
      return { ...told, trials: trialsForPower(alike(expect), { null: alike(against), power, level }) }
    case 'change':
      return { ...told, trials: trialsForMean(expect - against, { deviation: deviationOf(options), power, level }) }
    default:
      return statistic satisfies never
  }
}

function forPrecision(statistic: Statistic, options: Options, level: number): Omit<Trials, 'level'> {
  const halfWidth = numberOf('--half-width', options.halfWidth!, statistic === 'change' ? { low: 1e-9 } : SHARE)
  switch (statistic) {
    case 'win-rate': {
      // A half is the widest.
      const p = options.expect === undefined ? 0.5 : expectedOf(statistic, options)
      return { halfWidth, expect: p, trials: trialsForPrecision(halfWidth, { level, p }) }
    }
    case 'agreement': {
      const expect = expectedOf(statistic, options)
      return { halfWidth, expect, trials: trialsForPrecision(halfWidth * (1 - CHANCE), { level, p: alike(expect) }) }
    }
    case 'change':
      return { halfWidth, trials: trialsForMeanPrecision(halfWidth, { deviation: deviationOf(options), level }) }
    default:
      return statistic satisfies never
  }
}

/** Share of pairs of people who say the same, at that alpha. */
function alike(alpha: number): number {
  return CHANCE + alpha * (1 - CHANCE)
}

function expectedOf(statistic: Statistic, { expect }: Options): number {
  if (expect === undefined) throw new ConfigError(`expected --expect, the ${statistic} that is expected to be true`)
  return numberOf('--expect', expect, statistic === 'change' ? ANY : SHARE)
}

function againstOf(statistic: Statistic, { against }: Options): number {
  if (against !== undefined) return numberOf('--against', against, statistic === 'change' ? ANY : SHARE)
  if (statistic === 'agreement')
    throw new ConfigError('expected --against, the agreement that it must be told from, or --half-width')
  return statistic === 'change' ? 0 : 0.5
}

function deviationOf({ deviation }: Options): number {
  if (deviation === undefined)
    throw new ConfigError('expected --deviation, the standard deviation of one difference: take it from a pilot')
  return numberOf('--deviation', deviation, { low: 1e-9 })
}
