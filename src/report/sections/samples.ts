// The same prompts answered by the base, after SFT and after RL, side by side; words that RL took out and put in are
// marked. Completions are hostile text: shown as text, isolated in direction, cut where they get absurdly long.
import type { Report, SampleReport } from '#schema'
import { html } from '../markup.ts'
import type { Markup, Part } from '../markup.ts'
import { fixed, number } from '../numbers.ts'
import { type DiffPart, wordDiff } from '#diff'
import { simulatedTag } from '../figure.ts'

/** Characters of a text that are shown; the report names how many are not. */
const MOST_CHARACTERS = 10_000
const LONG = 900
const OPEN_SAMPLES = 6
const NAMES = { base: 'Base', sft: 'After SFT', rl: 'After RL' } as const

export function samplesSection(report: Report): Markup | undefined {
  const samples = report.samples ?? []
  if (samples.length === 0) return undefined
  const rest = samples.slice(OPEN_SAMPLES)
  return html`<section class="step" id="samples" aria-labelledby="samples-title"><div class="step-head"><span class="step-number" aria-hidden="true">\u00b6</span><h2 id="samples-title">The same prompts, three models</h2><span class="step-state">${report.world && simulatedTag('scores from a simulated gold')}</span><p class="step-lead"><del>Struck through</del> is what RL no longer says, <ins>underlined</ins> what it says instead.</p></div><div class="step-body"><div class="full">${samples.slice(0, OPEN_SAMPLES).map(sample)}${rest.length > 0 && html`<details><summary>${rest.length} more prompts</summary>${rest.map(sample)}</details>`}</div></div></section>`
}

function sample(s: SampleReport): Markup {
  const sft = s.completions.find((c) => c.from === 'sft')
  const rl = s.completions.find((c) => c.from === 'rl')
  const diff = sft && rl ? wordDiff(cut(sft.text), cut(rl.text)) : undefined
  const columns = s.completions.map((c) => {
    const parts =
      diff && c === sft
        ? diff.before.map((p) => marked(p, 'del'))
        : diff && c === rl
          ? diff.after.map((p) => marked(p, 'ins'))
          : [cut(c.text)]
    const scores = [
      c.gold !== undefined && `gold ${fixed(2)(c.gold)}`,
      c.proxy !== undefined && `proxy ${fixed(2)(c.proxy)}`,
      c.tokens !== undefined && `${number(c.tokens)} tokens`,
    ].filter(Boolean)
    return html`<div><p class="mini-head">${NAMES[c.from]} <span>${scores.join(' \u00b7 ')}</span></p>${text(c.text, parts)}</div>`
  })
  return html`<article class="sample"><div class="sample-prompt">${text(s.prompt, [cut(s.prompt)])}</div><div class="sample-texts">${columns}</div></article>`
}

function text(whole: string, parts: Part[]): Markup {
  const isLong = whole.length > LONG
  const hidden =
    whole.length > MOST_CHARACTERS && html` <i>(${number(whole.length - MOST_CHARACTERS)} more characters)</i>`
  if (whole.trim() === '') return html`<div class="text absent">(empty)</div>`
  return html`<div class="${isLong ? 'text long' : 'text'}" dir="auto"${isLong && html` tabindex="0" role="region" aria-label="long text"`}>${parts}${hidden}</div>`
}

function cut(text: string): string {
  return text.trim().slice(0, MOST_CHARACTERS)
}

function marked(part: DiffPart, tag: 'del' | 'ins'): Part {
  if (part.kind === 'same') return part.text
  const end = part.text.trimEnd().length
  const word = part.text.slice(0, end)
  return tag === 'del'
    ? html`<del>${word}</del>${part.text.slice(end)}`
    : html`<ins>${word}</ins>${part.text.slice(end)}`
}
