// hone label agreement, people, guidelines, overlap: what judgements say of annotators, of the guideline, and of where more are wanted.
import type { Command } from 'commander'
import { ConfigError } from '#errors'
import { writeDurable } from '#files'
import {
  AGREEMENT_PARTS,
  type AgreementReport,
  type Change,
  compareGuidelines,
  decideOverlaps,
  gatherItems,
  OVERLAP_RULE,
  ratingsOf,
  reportAgreement,
  reportAgreementBy,
  reportAnnotators,
  reportPeople,
} from '#feedback'
import { type Common, numberOf } from './data-source.ts'
import { COMPARISONS, range, readGold, readJudged } from './judged-rows.ts'
import { output } from './output.ts'

type Judged = Common & { comparisons?: string; criterion?: string; seed: string }
const GOLD = 'rows {id, prompt, chosen, rejected} of items whose answer is known'
const CRITERION = 'of rows that were judged by criteria: take these'

export function labelReports(add: (name: string, help: string) => Command): void {
  const judged = (name: string, help: string) =>
    add(name, help).option('--comparisons <source>', COMPARISONS).option('--criterion <name>', CRITERION)
  judged('agreement <source>', 'do annotators agree, overall and by part, and who leans to a side')
    .option('--by <part>', `one report for each: ${AGREEMENT_PARTS.join(', ')} (strata are those of --comparisons)`)
    .option('--seed <n>', 'of the bootstrap', '0')
    .action(agreementCommand)
  judged('people <source>', 'who leans, rushes, drifts, guesses or answers the wrong way round; rows in order of time')
    .option('--gold <source>', GOLD)
    .option('--rate <share>', 'chance of accusing anybody at all in a crowd without faults', '0.05')
    .option('--least-skill <share>', 'of right answers, that knowing asks for', '0.65')
    .option('--seed <n>', 'of the random orders that drift is held against', '0')
    .action(peopleCommand)
  judged('guidelines <source>', 'did a change of the guideline help: agreement under one version beside another')
    .requiredOption('--before <version>', 'as the rows name it')
    .requiredOption('--after <version>', 'as the rows name it')
    .option('--gold <source>', GOLD)
    .option('--seed <n>', 'of the bootstrap', '0')
    .action(guidelinesCommand)
  judged('overlap <source>', 'which items want one judgement more')
    .option('--threshold <probability>', 'enough once one side is this probable', String(OVERLAP_RULE.threshold))
    .option('--least <n>', 'judgements that every item gets', String(OVERLAP_RULE.least))
    .option('--cap <n>', 'judgements that no item exceeds', String(OVERLAP_RULE.cap))
    .option('--out <file>', 'JSONL of {item, judgements, probability} that want more')
    .action(overlapCommand)
}

const seedOf = ({ seed }: { seed: string }) => numberOf('--seed', seed, { low: 0, isWhole: true })

async function agreementCommand(source: string, options: Judged & { by?: string }): Promise<void> {
  const out = output(options)
  const by = AGREEMENT_PARTS.find((part) => part === options.by)
  if (options.by !== undefined && !by)
    throw new ConfigError(`--by: expected ${AGREEMENT_PARTS.join(', ')}, got ${options.by}`)
  if (by === 'stratum' && options.comparisons === undefined)
    throw new ConfigError('--by stratum needs --comparisons, whose rows name the stratum')
  const { judgements, comparisons } = await readJudged(source, options, {
    isByGuideline: by === 'guideline',
    isByCriterion: by === 'criterion',
  })
  const settings = { seed: seedOf(options), ...(comparisons && { comparisons }) }
  if (by) {
    const parts = reportAgreementBy(by, judgements, settings)
    out.event({ event: 'done', by, parts })
    for (const of of parts) {
      out.say(`${by} ${of.part ?? '(none named)'}: ${of.judgements} judgements`)
      if ('report' in of) sayAgreement(of.report, out.say)
      else out.say(`  ${of.reason}`)
    }
    return
  }
  const agreement = reportAgreement(ratingsOf(gatherItems(judgements, comparisons)), settings)
  const annotators = reportAnnotators(judgements, comparisons)
  out.event({ event: 'done', agreement, annotators })
  out.say(
    `${agreement.judgements} judgements of ${agreement.items} items by ${annotators.length} annotators; 95% intervals over items`,
  )
  sayAgreement(agreement, out.say)
  out.say('annotator              judged  left share              with the others')
  for (const { annotator, judgements: count, leftShare, withOthers } of annotators) {
    const bias = leftShare && leftShare.adjusted < 0.05 ? '  leans to a side' : ''
    out.say(
      `${annotator.padEnd(22)} ${String(count).padStart(6)}  ${(leftShare ? range(leftShare) : '').padEnd(22)}  ${withOthers ? range(withOthers) : ''}${bias}`,
    )
  }
}

function sayAgreement(agreement: AgreementReport, say: (text: string) => void): void {
  const names = {
    percent: 'agreement',
    alpha: "Krippendorff's alpha",
    alphaOrdinal: 'alpha, ties between',
    alphaInterval: 'alpha, interval',
    fleiss: "Fleiss' kappa",
    gwetAC1: "Gwet's AC1",
    gwetAC2: 'AC2, ties between',
    cohen: "Cohen's kappa",
  } as const
  for (const [key, name] of Object.entries(names)) {
    const interval = agreement[key as keyof typeof names]
    if (interval) say(`  ${name.padEnd(21)} ${range(interval)}`)
  }
  if (agreement.warning !== undefined) say(`  ${agreement.warning}`)
}

async function peopleCommand(
  source: string,
  options: Judged & { gold?: string; rate: string; leastSkill: string },
): Promise<void> {
  const out = output(options)
  const { judgements, comparisons } = await readJudged(source, options)
  const report = reportPeople(judgements, {
    seed: seedOf(options),
    rate: numberOf('--rate', options.rate, { low: 0, high: 1 }),
    leastSkill: numberOf('--least-skill', options.leastSkill, { low: 0.5, high: 1 }),
    ...(comparisons && { comparisons }),
    ...(options.gold !== undefined && { gold: await readGold(options.gold, options) }),
  })
  out.event({ event: 'done', ...report })
  for (const { name, asks, level } of report.tests)
    out.say(`  ${name.padEnd(10)} ${asks}; accuses below ${level.toPrecision(2)}`)
  for (const { annotator, judgements: count, skill, findings, goldAccuracy, isLeftOut } of report.people) {
    const gold = goldAccuracy ? `, gold ${range(goldAccuracy)}` : ''
    out.say(
      `${annotator}: ${count} judgements, ${skill === undefined ? 'nobody else judged their items' : `skill ${skill.toFixed(2)}`}${gold}`,
    )
    for (const { test, says, adjusted, isAccused } of findings)
      if (isAccused) out.say(`  ${test}: ${says} (adjusted p ${adjusted.toPrecision(2)})`)
    if (isLeftOut) out.say('  the others are held against the crowd without these answers')
  }
  const accused = report.people.filter(({ findings }) => findings.some((f) => f.isAccused)).length
  out.say(
    `${accused} of ${report.people.length} stand out; in a crowd without faults anybody does with a chance of at most ${report.rate}`,
  )
}

async function guidelinesCommand(
  source: string,
  options: Judged & { before: string; after: string; gold?: string },
): Promise<void> {
  const out = output(options)
  const { judgements, comparisons } = await readJudged(source, options, { isByGuideline: true })
  const { before, after } = options
  const made = compareGuidelines(judgements, {
    before,
    after,
    seed: seedOf(options),
    ...(comparisons && { comparisons }),
    ...(options.gold !== undefined && { gold: await readGold(options.gold, options) }),
  })
  out.event({ event: 'done', beforeVersion: before, afterVersion: after, ...made })
  const { items, verdict } = made
  out.say(`${items.before} items under ${before}, ${items.after} under ${after}, ${items.both} under both`)
  const line = (name: string, { before: x, after: y, change }: Change) =>
    out.say(`  ${name.padEnd(21)} ${x.toFixed(3)} to ${y.toFixed(3)}, change ${range(change)}`)
  line('agreement', made.percent)
  line("Krippendorff's alpha", made.alpha)
  line("Gwet's AC1", made.gwetAC1)
  if (made.goldAccuracy) line('gold accuracy', made.goldAccuracy)
  out.say(verdict === 'not shown' ? 'a change of agreement is not shown, either way' : `the change ${verdict} (alpha)`)
}

async function overlapCommand(
  source: string,
  options: Judged & { threshold: string; least: string; cap: string; out?: string },
): Promise<void> {
  const out = output(options)
  const rule = {
    threshold: numberOf('--threshold', options.threshold, { low: 0.5, high: 1 }),
    least: numberOf('--least', options.least, { low: 1, isWhole: true }),
    cap: numberOf('--cap', options.cap, { low: 1, isWhole: true }),
  }
  const { judgements, comparisons } = await readJudged(source, options)
  const decisions = decideOverlaps(gatherItems(judgements, comparisons), { rule })
  const wanted = decisions.filter(({ wantsMore }) => wantsMore)
  if (options.out !== undefined)
    writeDurable(
      options.out,
      wanted
        .map(({ item, judgements: n, probability }) => `${JSON.stringify({ item, judgements: n, probability })}\n`)
        .join(''),
    )
  const count = (because: string) => decisions.filter((decision) => decision.because === because).length
  const counts = {
    certain: count('certain'),
    cap: count('cap'),
    uncertain: count('uncertain'),
    belowLeast: count('below least'),
  }
  out.event({ event: 'done', rule, ...counts, wanted: wanted.map(({ item }) => item) })
  out.say(
    `${wanted.length} of ${decisions.length} items want one judgement more: ${counts.belowLeast} have fewer than ${rule.least}, ${counts.uncertain} are uncertain; ${counts.certain} are certain, ${counts.cap} at the cap`,
  )
}
