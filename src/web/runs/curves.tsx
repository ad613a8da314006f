// The curves of a run: a panel for what belongs together, smoothed or not, by step, hours or tokens; alarms and marks as
// uprights on every one. Names are those that the field knows. Of PPO also what KL bought: the learned reward (the proxy)
// and what the judge said (the check), against the KL spent.
import { useMemo, useState } from 'react'
import { type Line, LineChart, type Upright } from './line-chart.tsx'
import { smooth } from './smooth.ts'
import type { Curves } from './use-live.ts'

const PANELS: { title: string; names: string[] }[] = [
  { title: 'Loss', names: ['loss', 'heldOutLoss'] },
  { title: 'Accuracy', names: ['accuracy', 'heldOutAccuracy'] },
  { title: 'Score', names: ['score'] },
  { title: 'KL to the reference, nats a completion', names: ['kl'] },
  { title: 'Margin', names: ['margin', 'heldOutMargin'] },
  { title: 'Entropy', names: ['entropy'] },
  { title: 'Length, tokens', names: ['tokensMean'] },
  { title: 'Clip fraction', names: ['clipFraction'] },
  { title: 'Explained variance of the value', names: ['explainedVariance'] },
  { title: 'Gradient norm', names: ['norm'] },
]
const COLOURS = ['accent', 'check', 'warm', 'soft'] as const
type Axis = 'step' | 'hours' | 'tokens'

export function CurvesSection({ curves, csv }: { curves: Curves; csv: string }) {
  const [weight, setWeight] = useState(0)
  const [axis, setAxis] = useState<Axis>('step')
  const [isLog, setLog] = useState(false)
  const [isAll, setAll] = useState(false)
  const xOf = useMemo(() => placeOn(curves.axes, axis), [curves.axes, axis])
  const uprights = useMemo(
    (): Upright[] => [
      ...curves.marks.map(({ step }) => ({ x: xOf(step), kind: 'mark' as const })),
      ...curves.alarms.map(({ step }) => ({ x: xOf(step), kind: 'alarm' as const })),
    ],
    [curves.marks, curves.alarms, xOf],
  )
  const known = new Set(PANELS.flatMap(({ names }) => names))
  const there = new Map(curves.series.map((each) => [each.name, each]))
  const panels = [
    ...PANELS.filter(({ names }) => names.some((name) => there.has(name))),
    ...(isAll
      ? curves.series.filter(({ name }) => !known.has(name)).map(({ name }) => ({ title: name, names: [name] }))
      : []),
  ]
  const others = curves.series.filter(({ name }) => !known.has(name)).length
  if (curves.series.length === 0) return <p className="soft">No step yet.</p>
  return (
    <>
      <div className="row curve-settings">
        <label>
          Smoothing{' '}
          <input
            type="range"
            min={0}
            max={0.98}
            step={0.02}
            value={weight}
            onChange={(e) => setWeight(Number(e.target.value))}
          />
        </label>
        <label>
          By{' '}
          <select value={axis} onChange={(e) => setAxis(e.target.value as Axis)}>
            <option value="step">step</option>
            <option value="hours">time</option>
            <option value="tokens">tokens</option>
          </select>
        </label>
        <label>
          <input type="checkbox" checked={isLog} onChange={(e) => setLog(e.target.checked)} /> Log scale
        </label>
        {others > 0 && (
          <label>
            <input type="checkbox" checked={isAll} onChange={(e) => setAll(e.target.checked)} /> All metrics
          </label>
        )}
        {uprights.length > 0 && (
          <span className="soft upright-key">
            {curves.marks.length > 0 && <span className="key-mark">mark</span>}{' '}
            {curves.alarms.length > 0 && <span className="key-alarm">alarm</span>}
          </span>
        )}
        <a className="button" href={csv} download>
          CSV
        </a>
      </div>
      <div className="charts">
        {panels.map(({ title, names }) => (
          <Panel
            key={title}
            {...{ title, weight, isLog, uprights, xOf, axis }}
            series={names.flatMap((name) => there.get(name) ?? [])}
          />
        ))}
      </div>
    </>
  )
}

function Panel({
  title,
  series,
  weight,
  xOf,
  axis,
  isLog,
  uprights,
}: {
  title: string
  series: Curves['series']
  weight: number
  xOf: (step: number) => number
  axis: Axis
  isLog: boolean
  uprights: readonly Upright[]
}) {
  const lines = useMemo(
    () =>
      series.flatMap(({ name, steps, values }, i): Line[] => {
        const line = { label: words(name), xs: steps.map(xOf), colour: COLOURS[i % COLOURS.length]! }
        if (weight === 0 || values.length < 3) return [{ ...line, ys: values }]
        return [
          { ...line, ys: values, isFaint: true },
          { ...line, ys: smooth(values, weight) },
        ]
      }),
    [series, weight, xOf],
  )
  return (
    <LineChart
      title={title}
      lines={lines}
      uprights={uprights}
      xLabel={axis}
      isLog={isLog}
      isWhole={axis !== 'hours'}
      {...(axis === 'hours' && { formatTick: duration })}
      formatX={(x) => (axis === 'hours' ? duration(x) : `${axis} ${Math.round(x).toLocaleString('en')}`)}
    />
  )
}

/** Where a step lies on the axis; between the steps that are known, in proportion. */
function placeOn({ steps, at, tokens }: Curves['axes'], axis: Axis): (step: number) => number {
  if (axis === 'step') return (step) => step
  const begin = at[0] ?? 0
  const ys = axis === 'tokens' ? tokens : at.map((time) => (time - begin) / 3_600_000)
  return (step) => {
    let low = 0
    let high = steps.length - 1
    if (high < 0) return step
    while (low < high) {
      const middle = (low + high) >> 1
      if (steps[middle]! < step) low = middle + 1
      else high = middle
    }
    const before = Math.max(0, low - 1)
    const width = steps[low]! - steps[before]!
    const share = width > 0 ? Math.min(1, Math.max(0, (step - steps[before]!) / width)) : 0
    return ys[before]! + share * (ys[low]! - ys[before]!)
  }
}

function duration(hours: number): string {
  const seconds = hours * 3600
  if (seconds < 90) return `${seconds.toFixed(0)} s`
  return seconds < 5400 ? `${(seconds / 60).toFixed(1)} min` : `${hours.toFixed(2)} h`
}

type Range = { value: number; low: number; high: number }
type Mark = {
  step: number
  kl: number
  winReference: Range
  winBest?: Range
  accuracy?: Range
  proxy?: { policy: number; reference: number }
  decision: string
  reason: string
}

/** What KL bought. The check is what decides; where it falls while the proxy rises, the reward is being gamed. */
export function Bought({ marks }: { marks: Curves['marks'] }) {
  const told = marks as unknown as Mark[]
  const lines = useMemo((): Line[] => {
    const byKl = [...told].sort((a, b) => a.kl - b.kl)
    const withProxy = byKl.filter(({ proxy }) => proxy)
    return [
      {
        label: 'Proxy: learned reward',
        xs: [0, ...withProxy.map(({ kl }) => kl)],
        ys:
          withProxy.length > 0 ? [withProxy[0]!.proxy!.reference, ...withProxy.map(({ proxy }) => proxy!.policy)] : [],
        colour: 'accent' as const,
      },
      {
        label: 'Check: wins against the reference',
        xs: [0, ...byKl.map(({ kl }) => kl)],
        ys: [0.5, ...byKl.map(({ winReference }) => winReference.value)],
        colour: 'check' as const,
        onRight: true,
        isDotted: true,
      },
    ].filter(({ ys }) => ys.length > 0)
  }, [told])
  if (told.length === 0) return null
  return (
    <section aria-labelledby="bought">
      <h2 id="bought">What the KL bought</h2>
      <div className="charts one">
        <LineChart
          title="Proxy and check against KL"
          lines={lines}
          xLabel="KL"
          formatX={(x) => `${x.toFixed(2)} nats`}
          rightRange={[0, 1]}
        />
      </div>
      <div className="scrolls">
        <table>
          <thead>
            <tr>
              <th scope="col">Mark at step</th>
              <th scope="col">KL</th>
              <th scope="col">Wins against the reference</th>
              <th scope="col">Against the best mark</th>
              <th scope="col">Reward model right</th>
              <th scope="col">Decision</th>
            </tr>
          </thead>
          <tbody>
            {told.map(({ step, kl, winReference, winBest, accuracy, decision, reason }) => (
              <tr key={step}>
                <th scope="row">{step}</th>
                <td>{kl.toFixed(2)}</td>
                <td>{range(winReference)}</td>
                <td>{winBest ? range(winBest) : ''}</td>
                <td>{accuracy ? range(accuracy) : ''}</td>
                <td>
                  <b>{decision}</b> <span className="soft block">{reason}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

const range = ({ value, low, high }: Range): string => `${value.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`

/** `heldOutLoss` as people say it. */
export function words(name: string): string {
  return name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace('held out', 'held-out')
}
