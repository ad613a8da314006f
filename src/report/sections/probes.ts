// Probes of the reward model: how changes that should not raise its score, or should lower it, move it.
import type { ProbeReport } from '#schema'
import { forestFigure } from '../figure.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { fixed, signed } from '../numbers.ts'

export function probeFigure(probes: readonly ProbeReport[], simulated: string | undefined): Markup {
  const format = signed(fixed(2))
  const flags = probes.flatMap(({ flag }) => flag ?? [])
  const hasGold = probes.some(({ gold }) => gold)
  return forestFigure(
    {
      title: 'Probes of the reward model',
      caption: html`Held-out completions are changed and scored again, 95% over prompts. What only pleases should bring no rise, what damages a fall.${
        hasGold && ' Hollow: what the gold makes of the same change.'
      }${flags.length > 0 ? html`<ul>${flags.map((flag) => html`<li>${flag}</li>`)}</ul>` : ' All move as they should.'}`,
      simulated,
    },
    {
      describe: `Mean change of the score under ${probes.length} probes, in standard deviations: ${probes
        .map(({ name, change, holds }) => `${name} ${format(change.value)}${holds ? '' : ', not as expected'}`)
        .join('; ')}.`,
      axis: { label: 'change of the score, standard deviations', format },
      rule: { x: 0, label: 'no matter' },
      rows: probes.map(({ name, expects, change, holds, gold }) => ({
        label: name,
        note: expects === 'fall' ? 'fall' : 'no rise',
        // Where no score moved at all there is no interval to draw.
        measured: change.low === change.high ? { value: change.value, n: change.n } : change,
        colour: holds ? 'proxy' : 'bad',
        ...(gold && { other: { value: gold.value, label: 'gold' } }),
      })),
    },
  )
}
