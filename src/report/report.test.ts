// The page as text: what it holds for whole, partial, broken and hostile reports. How it looks is tests/report.e2e.
import { expect, test } from 'vitest'
import { type AnnotatorRow, Report, type RlReport, STEPS } from '#schema'
import { fixtureReport } from '../../tests/report-fixture.ts'
import { renderReport } from './index.ts'
import { fixed, number, percent, signed } from './numbers.ts'

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

test('base, SFT and RL stand side by side before all else of the evaluation, each with its interval; what is not there is a dash', () => {
  const ratio = { value: 1.07, low: 1.05, high: 1.09, n: 120 }
  const report = { ...whole, evaluation: { ...whole.evaluation!, generalRatio: ratio } }
  const section = renderReport(report).split('id="evaluation"')[1]!.split('</section>')[0]!
  const [first] = section.match(/<table.*?<\/table>/s)!
  const row = (name: string) => first.split('<tr>').find((line) => line.includes(`>${name}`))!
  const { general } = whole.sft!.perplexity
  expect(row('Perplexity, general text')).toContain(number(general.intervals!.before.low))
  expect(row('Perplexity, general text')).toContain('\u2013</span></td>')
  expect(row('General perplexity over')).toMatch(
    /1\.070<\/b> <span class="ci">\[1\.050, 1\.090\]<\/span> <span class="n">n = 120/,
  )
  expect(row('Ceiling of that accuracy')).toContain(percent(whole.reward!.ceiling.value))
  for (const { name, after } of whole.rl!.terms) expect(row(`Reward, ${name}`)).toContain(fixed(3)(after))
  expect(row('KL to SFT')).toContain(fixed(3)(whole.rl!.kl))
  const kept = whole.rl!.series!.find(({ step }) => step === whole.rl!.keptStep)!
  expect(row('Entropy')).toContain(fixed(3)(kept.entropy))
  expect(row('Gold')).toContain('SFT to RL')
})

test('the overall by weights says whether others like them would turn it', () => {
  const words = (holds: boolean) =>
    renderReport({
      ...whole,
      evaluation: { ...whole.evaluation!, weighted: { ...whole.evaluation!.weighted!, holds } },
    })
  expect(words(true)).toMatch(
    /RL is ahead\. With weights a fifth lighter or heavier it lies from .*0\.062 to .*0\.104, and who is ahead stays the same/,
  )
  expect(words(false)).toContain('and who is ahead changes')
})

test('probes say in words what does not move as it should; a score that did not move has no interval', () => {
  const drawn = (report: Report) =>
    renderReport(report)
      .split('<figure')
      .find((figure) => figure.includes('Probes of the reward model'))!
  const figure = drawn(whole)
  const [first] = figure.split('</svg>')
  expect(first!.match(/class="interval c-bad"/g)).toHaveLength(2)
  expect(first!.match(/class="whisker"/g)).toHaveLength(7)
  expect(figure).toContain('<li>courtesy is not as expected: 0.34 standard deviations</li>')
  expect(figure).not.toContain('All move as they should')
  const still = { value: 0, low: 0, high: 0, n: 150 }
  const probes = whole.reward!.probes!.filter(({ holds }) => holds).map((probe) => ({ ...probe, change: still }))
  const quiet = drawn({ ...whole, reward: { ...whole.reward!, probes } })
  expect(quiet).toContain('All move as they should')
  expect(quiet).not.toContain('class="whisker"')
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

test('lineage says under which objective all was made, by its first digits, and where there are several', () => {
  const [one, two] = ['a', 'b'].map((digit) => digit.repeat(64)) as [string, string]
  const made = { guideline: 1, run: 3 }
  const of = (more: object) => {
    const lineage = { ...whole.lineage!, objectives: [{ id: one, name: 'desk version 1', made }], ...more }
    return renderReport(Report.parse({ ...whole, lineage }))
  }
  expect(of({})).toMatch(/<b>desk version 1<\/b> <span class="mono">a{12}<\/span>, named by 1 guideline, 3 runs\./)
  expect(of({})).not.toContain('objectives differ')
  const objectives = [one, two].map((id) => ({ id, name: 'desk version 1', made }))
  const mixed = of({ objectives, objectivesDiffer: 'objectives differ: a; b' })
  expect(mixed).toMatch(/a{12}[^]*b{12}[^]*<b>objectives differ: a; b\.<\/b>/)
  const { objectives: _, ...older } = whole.lineage!
  expect(renderReport({ ...whole, lineage: older })).not.toContain('Made under')
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

/** The one figure of that title. */
function figure(page: string, title: string): string {
  const at = page.indexOf(`<h3>${title}</h3>`)
  expect(at, title).toBeGreaterThan(0)
  return page.slice(at).split('</figure>')[0]!
}
const withRl = (rl: Partial<RlReport>): Report => ({ ...whole, rl: { ...whole.rl!, ...rl } })

test('the terms of the reward are drawn as weight times mean, and say so', () => {
  const step = (n: number, limit: number) => ({
    step: n,
    kl: 0.1,
    proxy: 0,
    terms: { 'refund limit': limit, other: 9 },
  })
  const rl = { ...withRl({ series: [step(1, -0.15), step(2, -0.11)] }).rl! }
  delete (rl as { continued?: unknown }).continued
  const drawn = figure(renderReport({ ...whole, rl }), 'The reward by term')
  expect(whole.rl!.terms.find(({ name }) => name === 'refund limit')!.weight).toBe(1.2)
  expect(drawn).toContain('step 1 \u00b7 refund limit: \u22120.18')
  expect(drawn).toContain('step 2 \u00b7 refund limit: \u22120.13')
  expect(drawn).not.toContain('other')
  expect(drawn).toMatch(/<figcaption>Weight times mean/)
})

test('gold along the run is that of the fixed prompts: one joined line with intervals, in every report', () => {
  const gold = (value: number) => ({
    gold: value,
    goldInterval: { value, low: value - 0.1, high: value + 0.1, n: 500 },
  })
  const bare = (n: number) => ({ step: n, kl: 0.1, proxy: 0 })
  const rl = { series: [bare(1), { ...bare(2), ...gold(1) }, bare(3), { ...bare(4), gold: 1.25 }] }
  const drawn = figure(
    renderReport(withRl({ ...rl, continued: [bare(5), { ...bare(6), ...gold(1.5) }] })),
    'The run, step by step',
  )
  expect(drawn).not.toContain('rollouts')
  expect(drawn).toContain('Check: gold on fixed prompts')
  expect(drawn).toContain('step 2 \u00b7 gold: 1.00 [0.90, 1.10], n\u00a0=\u00a0500<')
  expect(drawn).toContain('step 4 \u00b7 gold: 1.25<')
  // Solid through both looks, then dashed on from the last of them.
  const lines = [...drawn.matchAll(/<g class="series c-check"><path d="([^"]*)"( stroke-dasharray)?/g)]
  expect(lines.slice(0, 2).map(([, d, dash]) => [d!.replace(/[^ML]/g, ''), dash !== undefined])).toEqual([
    ['ML', false],
    ['ML', true],
  ])
})

test('the gain of a point is drawn with the interval of the gain, not of the level', () => {
  const point = (kl: number, gold: number) => ({ kl, proxy: 1, gold, step: 10 * kl })
  const measured = { value: 0.5, low: 0.25, high: 0.75, n: 400 }
  const points = [point(0, whole.rl!.goldBefore), { ...point(1, whole.rl!.goldBefore + 0.5), goldGain: measured }]
  const drawn = figure(renderReport(withRl({ unbudgeted: { points, alarmAt: null } })), 'What a nat of KL buys')
  expect(drawn).toContain('RL: 0.50 [0.25, 0.75], n\u00a0=\u00a0400<')
})

test('annotators have no column that nobody fills; hollow dots are promised only where a truth is known', () => {
  const protocol = (table: AnnotatorRow[]) => {
    const page = renderReport({ ...whole, protocol: { ...whole.protocol!, table } })
    return page.slice(page.indexOf('id="protocol"')).split('</section>')[0]!
  }
  const known = protocol(whole.protocol!.table!)
  for (const column of ['Simulated as', 'Truth', 'Weight, nats']) expect(known).toContain(`>${column}</th>`)
  expect(known).toContain('Hollow dots')
  expect(known).toContain('<circle class="other"')
  const people = whole.protocol!.table!.map(({ name, judgements, accuracy }) => ({ name, judgements, accuracy }))
  const unknown = protocol(people)
  expect(unknown).toContain('>Judgements</th>')
  expect(excerpts(unknown, /Truth|Weight|Simulated as|Qualified|Hollow dots|class="other"/g)).toEqual([])
})

test('what is measured has its interval and n', () => {
  const page = renderReport(whole)
  const { sft, reward, rl } = whole
  expect(figure(page, 'Perplexity before and after')).toContain(
    'domain (after SFT): 1.42 [1.38, 1.46], n\u00a0=\u00a0250',
  )
  expect(figure(page, 'Perplexity before and after')).toContain('general (base): 8.31 [8.14, 8.48], n\u00a0=\u00a0200')
  expect(figure(page, 'How often the longer reply is preferred')).toContain('reward model: 66.0% [63.0%, 69.0%]')
  expect(figure(page, 'Accuracy under its ceiling')).toContain('agreement (equal lengths): 69.0% [')
  const spans = [
    [sft!.intervals!.heldOutLoss, fixed(3)],
    [reward!.intervals!.ece!, fixed(3)],
    [reward!.intervals!.lengthSlope!, signed(fixed(2))],
    [rl!.intervals!.goldBefore, fixed(2)],
    [rl!.intervals!.goldAfter, fixed(2)],
  ] as const
  const missing = spans
    .map(([{ low, high }, format]) => `<span class="ci">[${format(low)}, ${format(high)}]</span>`)
    .filter((span) => !page.includes(span))
  expect(missing).toEqual([])
})

test('a report from before intervals were kept opens, and no number pretends to have one', () => {
  const { sft, reward, rl, protocol } = whole
  const plain = ({ before, after }: { before: number; after: number }) => ({ before, after })
  const old = {
    ...whole,
    sft: {
      ...sft,
      intervals: undefined,
      perplexity: { domain: plain(sft!.perplexity.domain), general: plain(sft!.perplexity.general) },
    },
    reward: { ...reward, intervals: undefined, lengthMatched: undefined, longerPreferred: undefined },
    rl: {
      ...rl,
      intervals: undefined,
      completionsPerStep: undefined,
      series: rl!.series!.map((step) => ({ ...step, goldInterval: undefined })),
      unbudgeted: {
        ...rl!.unbudgeted,
        points: rl!.unbudgeted!.points.map(({ kl, proxy, gold, step }) => ({ kl, proxy, gold, step })),
      },
    },
    protocol: { ...protocol, intervals: undefined },
  }
  const page = renderReport(Report.parse(JSON.parse(JSON.stringify(old))))
  expect(figure(page, 'Perplexity before and after')).toContain('domain (after SFT): 1.42<')
  expect(figure(page, 'Perplexity before and after')).not.toContain('class="whisker"')
  expect(figure(page, 'What aggregation makes of them')).toContain('majority vote: 79.5%<')
  expect(excerpts(page, /How often the longer reply is preferred/g)).toEqual([])
  for (const [, low, high] of page.matchAll(/\[([^[\],]+), ([^[\],]+)\]/g)) expect(low).not.toBe(high)
})
