// The whole page of a turn of the loop: its head, the loop as a picture, a section a step.
import type { Interval, Report } from '#schema'
import { STEPS } from '#schema'
import { scale } from './charts/scale.ts'
import { place } from './charts/svg.ts'
import { documentOf } from './document.ts'
import { missingSection, stopWords } from './layout.ts'
import { loopPicture, verdict } from './loop.ts'
import { html } from './markup.ts'
import type { Markup, Part } from './markup.ts'
import { fixed, intervalText, number, percent, plain, signed, upByAtMost } from './numbers.ts'
import type { Format } from './numbers.ts'
import { demonstrationsSection } from './sections/demonstrations.ts'
import { evaluationSection } from './sections/evaluation.ts'
import { lineageSection } from './sections/lineage.ts'
import { objectivesSection } from './sections/objectives.ts'
import { protocolSection } from './sections/protocol.ts'
import { rewardSection } from './sections/reward.ts'
import { rlSection } from './sections/rl.ts'
import { samplesSection } from './sections/samples.ts'
import { settingsSection } from './sections/settings.ts'
import { sftSection } from './sections/sft.ts'

const SECTIONS = {
  objectives: objectivesSection,
  demonstrations: demonstrationsSection,
  sft: sftSection,
  protocol: protocolSection,
  reward: rewardSection,
  rl: rlSection,
  evaluation: evaluationSection,
}

/** One self-contained HTML file that opens from disk; needs no script, no network, no font. */
export function renderReport(report: Report): string {
  return documentOf({
    title: `${report.title}: ${report.evaluation?.verdict ?? 'in progress'}`,
    hone: report.hone,
    top: topLine(report),
    numbers: 'report.json',
    body: html`${simulatedNote(report)}
${scaleNote(report)}
${pastGatesNote(report)}
${leftOutNote(report)}
<div class="hero"><div><p class="eyebrow">${report.title}</p>${verdict(report)}${tiles(report)}</div>${loopPicture(report)}</div>
${STEPS.map((step) => SECTIONS[step](report) ?? missingSection(report, step))}
${samplesSection(report)}
${lineageSection(report)}
${settingsSection(report)}`,
  })
}

function topLine(report: Report): Markup {
  const facts: Part[] = [
    report.world && `seed ${plain(report.world.seed)}`,
    report.createdAt && html`<time datetime="${report.createdAt}">${report.createdAt.slice(0, 10)}</time>`,
    `hone ${report.hone}`,
  ].filter((f) => f !== undefined && f !== '')
  return html`<header class="top"><span><b>hone</b> \u00b7 report of one turn of the loop</span><span>${facts.map((f, i) => html`${i > 0 && ' \u00b7 '}${f}`)}</span></header>`
}

function simulatedNote(report: Report): Markup | undefined {
  if (!report.simulated) return undefined
  return html`<p class="sim-note" role="note"><b>The annotators are simulated.</b> No person judged anything here. Simulated: ${report.simulatedWho.join('; ')}. Charts that rest on them say so.</p>`
}

function scaleNote({ scale }: Report): Markup | undefined {
  if (scale === undefined) return undefined
  return html`<p class="sim-note" role="note"><b>A quick look: its figures prove nothing.</b> It ran at ${plain(scale)} of the usual rows and steps, to show the way and not the result.</p>`
}

function pastGatesNote({ pastGates }: Report): Markup | undefined {
  if (pastGates === undefined) return undefined
  return html`<p class="sim-note" role="note"><b>Past failed gates.</b> ${pastGates.join(' ')}</p>`
}

function leftOutNote({ leftOut }: Report): Markup | undefined {
  if (leftOut === undefined) return undefined
  return html`<p class="sim-note" role="note"><b>Left out of this turn.</b> ${leftOut.join(' ')}</p>`
}

function tiles(report: Report): Markup | undefined {
  const { rl, evaluation } = report
  const found: Markup[] = []
  if (rl) found.push(measuredTile('Gold gain over SFT', rl.goldGain, { format: signed(fixed(2)), reference: 0 }))
  if (evaluation) {
    const v = evaluation.violations
    found.push(
      measuredTile('Blind win rate against SFT', evaluation.winRate, { format: percent, reference: 0.5 }),
      tile(
        'Constraint violations',
        `${percent(v.before)} \u2192 ${percent(v.after)}`,
        html`${upByAtMost(v.increaseHigh)}, n\u00a0=\u00a0${number(v.n)}`,
      ),
    )
  }
  if (rl)
    found.push(
      tile(
        'KL spent',
        `${number(rl.kl)} nats`,
        rl.budget
          ? html`of a budget of ${plain(rl.budget)}; stopped by ${stopWords(rl.stoppedBy)}`
          : html`no budget was set`,
      ),
    )
  return found.length > 0 ? html`<dl class="tiles">${found}</dl>` : undefined
}

function tile(name: string, big: string, small: Part): Markup {
  return html`<div><dt>${name}</dt><dd><span class="big">${big}</span><span class="small">${small}</span></dd></div>`
}

/** The number with its interval drawn small under it, against the value that would mean no difference. */
function measuredTile(name: string, m: Interval, { format, reference }: { format: Format; reference: number }): Markup {
  const all = [m.low, m.high, reference].filter(Number.isFinite)
  const x = scale([Math.min(...all), Math.max(...all)], [6, 184])
  const text = intervalText(m, format)
  const drawing =
    Number.isFinite(m.value) &&
    html`<svg viewBox="0 0 190 14" role="img" aria-label="${text} against ${format(reference)}" class="c-check"><line class="rule strong" x1="${place(x.at(reference))}" x2="${place(x.at(reference))}" y1="0" y2="14"/><line class="whisker" x1="${place(x.at(m.low))}" x2="${place(x.at(m.high))}" y1="7" y2="7"/><circle class="pt" cx="${place(x.at(m.value))}" cy="7" r="3.6"><title>${text}</title></circle></svg>`
  return tile(
    name,
    format(m.value),
    html`[${format(m.low)}, ${format(m.high)}]${m.n !== undefined && html`, n\u00a0=\u00a0${number(m.n)}`}${drawing}`,
  )
}
