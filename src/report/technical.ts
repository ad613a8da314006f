// The technical figures of base, SFT and RL side by side: perplexity, reward model against its ceiling, KL, reward by part,
// entropy, tasks; each with interval and n where they were measured. A figure that was not measured is a dash.
import type { Report } from '#schema'
import { table } from './layout.ts'
import { html } from './markup.ts'
import type { Markup } from './markup.ts'
import { fixed, interval, number, percent, signed } from './numbers.ts'
import type { Format, Measured } from './numbers.ts'

/** `digits`: three decimals. */
export type Written = 'number' | 'share' | 'digits'
export type TechnicalRow = {
  name: string
  /** Written small behind the name. */
  note?: string | undefined
  written: Written
  base?: Measured | undefined
  sft?: Measured | undefined
  rl?: Measured | undefined
  /** Paired where it has an interval; `of` says which two. */
  change?: { of: string; measured: Measured; written?: Written } | undefined
}

const FORMATS: Record<Written, Format> = { number, share: percent, digits: fixed(3) }

export function technicalTable(rows: readonly TechnicalRow[]): Markup {
  const figures = table(
    'Technical figures of base, SFT and RL',
    ['Figure', 'Base', 'SFT', 'RL', 'Change'],
    rows.map(({ name, note, written, base, sft, rl, change }) => [
      html`${name}${note !== undefined && html` <span class="n">${note}</span>`}`,
      ...[base, sft, rl].map((measured) => interval(measured, FORMATS[written])),
      change &&
        html`${interval(change.measured, signed(FORMATS[change.written ?? written]))} <span class="n">${change.of}</span>`,
    ]),
  )
  return html`<div class="side">${figures}</div>`
}

/** Of one turn of the loop; empty where neither SFT nor RL has run. */
export function technicalRows(report: Report): TechnicalRow[] {
  return [...perplexityRows(report), ...rewardModelRows(report), ...rlRows(report)]
}

function perplexityRows({ sft, evaluation }: Report): TechnicalRow[] {
  if (!sft) return []
  const { domain, general } = sft.perplexity
  const row = (name: string, { before, after, intervals }: typeof domain): TechnicalRow => ({
    name,
    written: 'number',
    base: intervals?.before ?? { value: before },
    sft: intervals?.after ?? { value: after },
    ...(intervals && { change: { of: 'base to SFT', measured: shifted(intervals.ratio), written: 'share' } }),
  })
  const ratio = evaluation?.generalRatio
  return [
    row('Perplexity, domain', domain),
    row('Perplexity, general text', general),
    {
      name: 'General perplexity over the base\u2019s',
      written: 'digits',
      sft: general.intervals?.ratio ?? { value: general.after / general.before },
      rl: ratio,
    },
  ]
}

/** A factor as a change of what it multiplies. */
function shifted({ value, low, high, n }: Measured): Measured {
  const less = (end: number | undefined) => (end === undefined ? undefined : end - 1)
  return { value: value - 1, low: less(low), high: less(high), n }
}

function rewardModelRows({ reward, rl }: Report): TechnicalRow[] {
  if (!reward) return []
  const mark = rl?.marks.findLast(({ intervals, accuracy }) => intervals?.accuracy !== undefined || accuracy !== null)
  const fresh = mark?.intervals?.accuracy ?? (mark && { value: mark.accuracy! })
  return [
    { name: 'Reward model, accuracy', note: 'held-out pairs', written: 'share', sft: reward.accuracy },
    { name: 'Ceiling of that accuracy', note: 'the judgements themselves', written: 'share', sft: reward.ceiling },
    {
      name: 'Reward model, agreement with judgements',
      note: mark ? `SFT: held-out pairs; RL: fresh pairs at step ${mark.step}` : 'held-out pairs',
      written: 'share',
      sft: reward.agreement,
      rl: fresh,
    },
  ]
}

function rlRows({ rl }: Report): TechnicalRow[] {
  if (!rl) return []
  const { intervals, completionsPerStep: n, series = [] } = rl
  const kept = series.find(({ step }) => step === rl.keptStep)
  const mean = (value: number | null | undefined): Measured | undefined =>
    value === null || value === undefined ? undefined : { value, n }
  const along = (name: string, of: 'entropy' | 'length', written: Written): TechnicalRow[] =>
    kept === undefined ? [] : [{ name, written, sft: mean(series[0]?.[of]), rl: mean(kept[of]) }]
  return [
    { name: 'KL to SFT, nats a completion', written: 'digits', sft: { value: 0 }, rl: { value: rl.kl } },
    ...rl.terms.map(
      ({ name, weight, before, after }): TechnicalRow => ({
        name: `Reward, ${name}`,
        note: `weight ${number(weight)}`,
        written: 'digits',
        sft: mean(before),
        rl: mean(after),
      }),
    ),
    {
      name: 'Gold',
      written: 'number',
      sft: intervals?.goldBefore ?? { value: rl.goldBefore },
      rl: intervals?.goldAfter ?? { value: rl.goldAfter },
      change: { of: 'SFT to RL', measured: rl.goldGain },
    },
    ...along('Entropy, nats a token', 'entropy', 'digits'),
    ...along('Length, tokens', 'length', 'number'),
  ]
}
