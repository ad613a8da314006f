// The page as text: what it holds for whole, partial, broken and hostile reports. How it looks is tests/report.e2e.
import { expect, test } from 'vitest'
import { Report, STEPS } from '#schema'
import { fixtureReport } from '../../tests/report-fixture.ts'
import { renderReport } from './index.ts'

const whole = Report.parse(fixtureReport())

/** Where a page matches, with what stands around it: a failing test should not print the page. */
const excerpts = (page: string, what: RegExp) =>
  [...page.matchAll(what)].slice(0, 3).map((m) => page.slice(Math.max(0, m.index - 60), m.index + 60))

/** Every leaf of a value put through a function; enums, which the schema closes, are left. */
function mapLeaves(value: unknown, change: (leaf: unknown, key: string) => unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((v) => mapLeaves(v, change, key))
  if (value !== null && typeof value === 'object')
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, mapLeaves(v, change, k)]))
  return change(value, key)
}
const CLOSED = [
  'step',
  'state',
  'from',
  'stage',
  'decision',
  'action',
  'run',
  'verdict',
  'source',
  'statistic',
  'bound',
  'comparison',
]

const withText = (text: string) =>
  mapLeaves(whole, (leaf, key) => (typeof leaf === 'string' && !CLOSED.includes(key) ? text : leaf)) as Report
const withNumber = (n: number) =>
  mapLeaves(whole, (leaf, key) => (typeof leaf === 'number' && key !== 'step' ? n : leaf)) as Report

test('every step, the samples, the lineage and the settings have their section, headings in order', () => {
  const page = renderReport(whole)
  for (const id of [...STEPS, 'samples', 'lineage', 'settings'])
    expect(page).toContain(`<section class="step" id="${id}"`)
  const levels = [...page.matchAll(/<h([1-6])[ >]/g)].map((m) => Number(m[1]))
  expect(levels[0]).toBe(1)
  expect(levels.filter((l) => l === 1)).toHaveLength(1)
  for (let i = 1; i < levels.length; i++) expect(levels[i]! - levels[i - 1]!).toBeLessThanOrEqual(1)
  expect(page.length).toBeLessThan(1_000_000)
})

test('every chart is described, has its numbers as a table, and is drawn for a phone', () => {
  const page = renderReport(whole)
  const figures = page.match(/<figure.*?<\/figure>/gs) ?? []
  expect(figures.length).toBeGreaterThan(15)
  for (const figure of figures) {
    expect(figure).toMatch(/<svg class="w350"[^>]* role="img" aria-label="[^"]+"/)
    expect(figure).toContain('<figcaption>')
    expect(figure).toContain('<title>')
  }
  for (const table of page.match(/<table.*?<\/table>/gs) ?? []) expect(table).toContain('<th scope="col">')
})

test('that annotators are simulated is said at the top and at each chart that rests on them, and only then', () => {
  const page = renderReport(whole)
  expect(page.indexOf('The annotators are simulated')).toBeLessThan(page.indexOf('<h1'))
  for (const id of ['protocol', 'reward', 'rl', 'evaluation']) {
    const section = page.slice(page.indexOf(`id="${id}"`)).split('</section>')[0]!
    expect(section).toMatch(/class="tag sim">[^<]*simulated/)
  }
  const { world: _, ...real } = { ...whole, simulated: false, simulatedWho: [] }
  expect(excerpts(renderReport(real), /class="tag sim"|The annotators are simulated/g)).toEqual([])
})

test('a released and a refused checkpoint get their verdict with reasons', () => {
  expect(renderReport(whole)).toContain('passed all 6 gates')
  const evaluation = whole.evaluation!
  const gates = evaluation.gates.map((g, i) => ({ ...g, passed: i !== 1 }))
  const refused = renderReport({ ...whole, evaluation: { ...evaluation, gates, verdict: 'refused' } })
  expect(refused).toContain('<h1 class="is-refused">Refused</h1>')
  expect(refused).toContain(`failed 1 of 6 gates: ${gates[1]!.name}`)
  expect(refused).toContain(`<li>${gates[1]!.name}: ${gates[1]!.evidence}</li>`)
})

test('after any number of steps the page says which are not there yet and why', () => {
  for (let done = 0; done <= STEPS.length; done++) {
    const missing = STEPS.slice(done)
    const report: Report = {
      ...whole,
      steps: STEPS.map((step, i) =>
        i < done ? { step, state: 'done' } : { step, state: 'missing', reason: `${step} is not built` },
      ),
    }
    for (const step of missing) delete report[step]
    const page = renderReport(Report.parse(report))
    for (const step of missing) expect(page).toContain(`has not run: ${step} is not built`)
    expect(page.match(/class="missing-step/g)?.length ?? 0).toBe(missing.length)
    if (done < STEPS.length) expect(page).toContain(`${done} of 7 steps`)
  }
})

test('each section stands alone, with its optional keys absent', () => {
  for (const step of STEPS) {
    const report: Report = { ...whole }
    for (const other of STEPS) if (other !== step) delete report[other]
    delete report.samples
    delete report.lineage
    delete report.settings
    expect(renderReport(report)).toContain(`id="${step}"`)
  }
  const { rl, reward, protocol, sft } = whole
  const bare = renderReport({
    ...whole,
    sft: {
      lossFirst: sft!.lossFirst,
      lossLast: sft!.lossLast,
      heldOutLoss: sft!.heldOutLoss,
      gate: sft!.gate,
      perplexity: sft!.perplexity,
    },
    protocol: { annotators: 3, alpha: protocol!.alpha },
    reward: {
      accuracy: reward!.accuracy,
      agreement: reward!.agreement,
      ceiling: reward!.ceiling,
      ece: 0.1,
      bestOfN: [],
    },
    rl: {
      steps: 3,
      kl: 1,
      goldBefore: 0,
      goldAfter: 1,
      goldGain: rl!.goldGain,
      proxyBefore: 0,
      proxyAfter: 1,
      stoppedBy: 'steps',
      alarms: [],
      terms: [],
      marks: [],
    },
  })
  expect(bare).toContain('None fired.')
  expect(excerpts(bare.replace(/<script>.*?<\/script>/s, ''), /undefined|NaN/g)).toEqual([])
})

test('numbers that are missing or absurd leave a dash, never NaN, and a page that still draws', () => {
  for (const n of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 1e308, -1e308, 5e-324]) {
    const page = renderReport(withNumber(n)).replace(/<script>.*?<\/script>/s, '')
    expect(excerpts(page, /NaN|Infinity|undefined/g), `all numbers ${n}`).toEqual([])
  }
})

test('hostile text stays text wherever it appears', () => {
  const attack = `</script></style></title>--><script>hacked=1</script><img src=x onerror="hacked=1">' onload='hacked=1' \u202e\u0000\ud800`
  const page = renderReport(withText(attack))
  expect(excerpts(page, /<img/g)).toEqual([])
  expect(page.match(/<script/g)).toHaveLength(1)
  expect(page.match(/<\/script/g)).toHaveLength(1)
  expect(page.match(/<style/g)).toHaveLength(1)
  // oxlint-disable-next-line no-control-regex -- that they are gone is the test
  expect(excerpts(page, /[\u0000\u202e\ud800]/gu)).toEqual([])
  expect(page).toContain('\u27e8U+202E\u27e9')
  // Outside of quotes no tag has an event handler.
  for (const tag of page.match(/<[a-z][^>]*>/g) ?? []) expect(tag.replace(/"[^"]*"/g, '')).not.toMatch(/\bon[a-z]+=/)
})

test('a text of a million characters is cut and says so', () => {
  const samples = [{ prompt: 'p', completions: [{ from: 'rl' as const, text: 'a'.repeat(1_000_000) }] }]
  const page = renderReport({ ...whole, samples })
  expect(page.length).toBeLessThan(1_000_000)
  expect(page).toContain('990\u202f000 more characters')
})

test('the page asks for nothing: no address, no source, no import, and a policy without any', () => {
  const page = renderReport(whole).replaceAll('xmlns="http://www.w3.org/2000/svg"', '')
  expect(excerpts(page, /https?:\/\/|url\(|@import|\bsrc=|<link|<iframe|<base/g)).toEqual([])
  for (const [, target] of page.matchAll(/href="([^"]*)"/g)) expect(target).toMatch(/^#/)
  const policy = /Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1]?.replaceAll('&#39;', "'") ?? ''
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^;]*'; script-src 'sha256-[^;]*'; base-uri/)
  expect(policy).not.toMatch(/unsafe|\*|data:/)
})

test('lineage that is a cycle, or names what is not there, still draws', () => {
  const node = (id: string) => ({ id, kind: 'run', label: id })
  const lineage = {
    checkpoint: 'a',
    nodes: [node('a'), node('b')],
    edges: [
      { from: 'a', to: 'b' },
      { from: 'b', to: 'a' },
      { from: 'a', to: 'a' },
      { from: 'nobody', to: 'a' },
    ],
  }
  expect(renderReport({ ...whole, lineage })).toContain('lineage-svg')
  expect(renderReport({ ...whole, lineage: { checkpoint: 'gone', nodes: [], edges: [] } })).toContain('id="lineage"')
})

test('the gap between sampling and training has its panel, and none where it was not measured', () => {
  expect(renderReport(whole)).toContain('Sampler against training')
  const bare = {
    ...whole,
    rl: { ...whole.rl!, series: whole.rl!.series!.map((step) => ({ ...step, samplerGap: null })) },
  }
  delete (bare.rl as { continued?: unknown }).continued
  expect(renderReport(bare)).not.toContain('Sampler against training')
})
