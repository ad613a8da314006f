// Settings, seeds, machine and times: what it takes to run this again and get the same.
import type { Report, StepName } from '#schema'
import { STEPS } from '#schema'
import { barsFigure } from '../figure.ts'
import { block } from '../layout.ts'
import { STEP_TITLES } from '../loop.ts'
import { html } from '../markup.ts'
import type { Markup } from '../markup.ts'
import { counted, duration, number, plain, short } from '../numbers.ts'

export function settingsSection(report: Report): Markup {
  const { environment: env, world, settings, seconds } = report
  const facts: [string, string | undefined][] = [
    ['hone', report.hone],
    ['libtorch', env.libtorch],
    ['threads', number(env.threads)],
    ['device', env.device],
    ['numbers', env.dtype],
    ['processor', env.cpu],
    ['Node', env.node],
    ['platform', env.platform],
    ['peak memory', env.memoryPeakBytes === undefined ? undefined : `${number(env.memoryPeakBytes / 2 ** 20)} MiB`],
    ['world', world && short(world.hash)],
    ['seed', world && plain(world.seed)],
  ]
  return html`<section class="step" id="settings" aria-labelledby="settings-title"><div class="step-head"><span class="step-number" aria-hidden="true">\u21bb</span><h2 id="settings-title">To run it again</h2><span class="step-state">${duration(seconds.total)} in all</span><p class="step-lead">Every random draw follows from the seed: on the same machine the same command gives the same numbers.</p></div><div class="step-body">${block('Command', html`<pre class="command" tabindex="0">${report.command}</pre>`, { isWide: true })}${barsFigure(
    { title: 'Seconds a step' },
    {
      describe: `Seconds of each step, ${duration(seconds.total)} in all.`,
      rows: Object.entries(seconds.perStep).map(([step, value]) => ({ label: title(step), value })),
      format: (v) => duration(v ?? Number.NaN),
    },
  )}${block('Machine and seed', html`<dl class="env">${facts.filter(([, v]) => v !== undefined).map(pair)}</dl>`)}${
    settings &&
    block(
      'Settings',
      html`<div class="settings">${Object.entries(settings).map(([recipe, config]) => html`<details><summary>${recipe}, ${counted(Object.keys(config).length, 'setting', 'settings')}</summary><dl>${Object.entries(config).map(([k, v]) => pair([k, typeof v === 'number' ? plain(v) : String(v)]))}</dl></details>`)}</div>`,
      { isWide: true },
    )
  }</div></section>`
}

function pair([name, value]: [string, string | undefined]): Markup {
  return html`<div><dt>${name}</dt><dd>${value}</dd></div>`
}

function title(step: string): string {
  return (STEPS as readonly string[]).includes(step) ? STEP_TITLES[step as StepName] : step
}
