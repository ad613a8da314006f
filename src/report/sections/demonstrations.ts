// Step 2: demonstrations, what the checks found, and what was kept from training.
import type { Report } from '#schema'
import { barsFigure, simulatedIn } from '../figure.ts'
import { block, flow, stepSection, table } from '../layout.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { number, short } from '../numbers.ts'

export function demonstrationsSection(report: Report): Markup | undefined {
  const d = report.demonstrations
  if (!d) return undefined
  return stepSection(report, 'demonstrations', {
    lead: html`${number(d.rows)} demonstrations were kept; ${number(d.setAside)} were set aside and never reached training.`,
    body: html`${flow(
      [
        html`${number(d.rows + d.setAside)} rows of prompt and expert completion`,
        d.authors && `by ${number(d.authors.length)} authors of different styles`,
      ],
      [
        html`version <span class="mono">${short(d.version)}</span>`,
        d.splits && d.splits.map((s) => `${s.name} ${number(s.rows)}`).join(' \u00b7 '),
        d.groupedBy && `split by ${d.groupedBy}: no ${d.groupedBy} lies on two sides`,
      ],
    )}${block(
      'Checks',
      table(
        'Checks of the demonstrations',
        ['Check', 'Found', 'What was done'],
        d.checks.map((c) => [c.name, number(c.found), c.action ?? '']),
      ),
    )}${d.authors && barsFigure({ title: 'Rows by author', simulated: simulatedIn(report, 'world') }, { describe: `Kept rows of ${d.authors.length} authors`, rows: d.authors.map((a) => ({ label: a.name, value: a.rows })) })}${
      d.setAsideRows?.length
        ? block(
            'Some rows that were set aside',
            table(
              'Rows set aside',
              ['Row', 'Reason', 'Text'],
              d.setAsideRows.map((r) => [
                html`<span class="mono">${short(r.id)}</span>`,
                r.reason,
                html`<span class="text" dir="auto">${r.text.slice(0, 600)}</span>`,
              ]),
            ),
            { isWide: true },
          )
        : undefined
    }`,
  })
}
