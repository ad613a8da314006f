// hone data coverage: where prompts have no demonstration like them yet, as words, numbers and what to write next.
import { type Cluster, coverage, type Coverage, type Progress, quotaProgress, readQuotas } from '#data'
import { ConfigError } from '#errors'
import { type Common, numberOf, readSource } from './data-source.ts'
import { output } from './output.ts'

type CoverageCommandOptions = Common & {
  kind?: string
  with: string
  seed: string
  similarity: string
  quotas?: string
}

export async function coverageCommand(source: string, options: CoverageCommandOptions): Promise<void> {
  const out = output(options)
  const quotas = options.quotas === undefined ? undefined : readQuotas(options.quotas)
  const prompts = await readSource(source, options)
  const shown = await readSource(options.with, { ...options, kind: 'demonstrations' })
  const found = coverage(prompts.rows, shown.rows, {
    seed: numberOf('--seed', options.seed, { low: 0, isWhole: true }),
    similarity: numberOf('--similarity', options.similarity, { low: 0.01, high: 1 }),
  })
  if (found.prompts === 0) throw new ConfigError(`expected rows with a prompt in ${source}, got none`)
  const progress = quotas && quotaProgress(found.strata, quotas)
  out.event({ event: 'done', ...found, ...(progress && { quotas: progress }) })
  out.say(
    `${found.covered} of ${found.prompts} prompts (${percent(found)}) have one of ${found.demonstrations} demonstrations like them`,
  )
  if (found.outside) out.say(`${found.outside} demonstrations belong to no cluster: they share no word with any`)
  out.say('\nprompts  demonstrations  covered  words')
  for (const cluster of found.clusters) sayCluster(cluster, (text) => out.say(text))
  if (found.strata.length) out.say('\nprompts  demonstrations  covered  stratum')
  for (const { stratum, ...counts } of found.strata) out.say(`${figures(counts)}  ${stratum}`)
  if (progress) sayQuotas(progress, (text) => out.say(text))
}

/** Characters of a bar. */
const BAR = 24

function sayQuotas(progress: Progress[], say: (text: string) => void): void {
  const full = progress.filter(({ have, wanted }) => have >= wanted).length
  say(`\nquotas: ${full} of ${progress.length} are met`)
  const width = Math.max(...progress.map(({ stratum }) => stratum.length))
  for (const { of, stratum, have, wanted } of progress) {
    const filled = Math.floor(BAR * Math.min(1, have / wanted))
    const missing = have < wanted ? `, ${wanted - have} missing` : ''
    say(`${stratum.padEnd(width)}  ${'#'.repeat(filled).padEnd(BAR, '.')}  ${have} of ${wanted} ${of}${missing}`)
  }
}

function sayCluster(cluster: Cluster, say: (text: string) => void): void {
  say(`${figures(cluster)}  ${cluster.words.join(' ') || '(no word that another prompt has)'}`)
  const next = cluster.demonstrations === 0 ? cluster.examples.filter(({ isCovered }) => !isCovered) : []
  for (const { text } of next) say(`${' '.repeat(34)}${text.replaceAll(/\s+/g, ' ').slice(0, 100)}`)
}

function figures(counts: Pick<Coverage, 'prompts' | 'demonstrations' | 'covered'>): string {
  const { prompts, demonstrations } = counts
  return `${String(prompts).padStart(7)}  ${String(demonstrations).padStart(14)}  ${percent(counts).padStart(7)}`
}

function percent({ prompts, covered }: Pick<Coverage, 'prompts' | 'covered'>): string {
  return prompts === 0 ? '-' : `${((100 * covered) / prompts).toFixed(0)}%`
}
