// One technical page of a workspace: which three models, where their figures come from, and the figures side by side.
import { documentOf } from './document.ts'
import { block } from './layout.ts'
import { html } from './markup.ts'
import { type TechnicalRow, technicalTable } from './technical.ts'

export type Technical = {
  title: string
  hone: string
  /** Where the weights of each lie. */
  models: { base?: string | undefined; sft?: string | undefined; rl?: string | undefined }
  rows: TechnicalRow[]
  /** Files that the figures were read from. */
  sources: string[]
  simulated: boolean
}

export function renderTechnical({ title, hone, models, rows, sources, simulated }: Technical): string {
  const names = { base: 'Base', sft: 'SFT', rl: 'RL' }
  const shown = (['base', 'sft', 'rl'] as const).flatMap((stage) =>
    models[stage] === undefined ? [] : [html`<dd>${names[stage]} <span class="mono">${models[stage]}</span></dd>`],
  )
  return documentOf({
    title: `${title}: technical figures`,
    hone,
    top: html`<header class="top"><span><b>hone</b> \u00b7 technical figures</span><span>hone ${hone}</span></header>`,
    numbers: 'technical.json',
    body: html`${simulated && html`<p class="sim-note" role="note"><b>Simulated annotators judged here.</b> Some of these figures rest on judgements that no person made.</p>`}
<section class="step" id="technical" aria-labelledby="technical-title"><div class="step-head"><p class="eyebrow">${title}</p><h1 id="technical-title">Base, SFT and RL side by side</h1><p class="step-lead">Each figure with its interval, where it has one, and what n counts; a dash is a figure that nobody has measured.</p></div><div class="step-body">
<dl class="flow full"><div><dt>Models</dt>${shown}</div><div><dt>Read from</dt>${sources.map((file) => html`<dd><span class="mono">${file}</span></dd>`)}</div></dl>
${block('Technical figures', technicalTable(rows), { isWide: true })}
</div></section>`,
  })
}
