// The curves of a run: a panel for what belongs together; alarms and marks as uprights on every one. Of PPO also what KL
// bought: the learned reward (the proxy) and what the judge said (the check), against the KL spent.
import { useMemo } from 'react'
import {
  type Curve,
  CurvePanel,
  CurveSettings,
  PANELS,
  placeOn,
  type Settings,
  useCurveSettings,
  words,
} from './curve-settings.tsx'
import { type Line, LineChart, type Upright } from './line-chart.tsx'
import type { Curves } from './use-live.ts'

const COLOURS = ['accent', 'check', 'warm', 'soft'] as const

export function CurvesSection({ curves, csv }: { curves: Curves; csv: string }) {
  const [settings, change] = useCurveSettings()
  const xOf = useMemo(() => placeOn(curves.axes, settings.axis), [curves.axes, settings.axis])
  const uprights = useMemo(
    (): Upright[] => [
      ...curves.marks.map(({ step }) => ({ x: xOf(step), kind: 'mark' as const })),
      ...curves.alarms.map(({ step }) => ({ x: xOf(step), kind: 'alarm' as const })),
    ],
    [curves.marks, curves.alarms, xOf],
  )
  const known = new Set(PANELS.flatMap(({ names }) => names))
  const there = new Map(curves.series.map((each) => [each.name, each]))
  const others = curves.series.filter(({ name }) => !known.has(name))
  const panels = [
    ...PANELS.filter(({ names }) => names.some((name) => there.has(name))),
    ...(settings.isAll ? others.map(({ name }) => ({ title: name, names: [name] })) : []),
  ]
  if (curves.series.length === 0) return <p className="soft">No step yet.</p>
  return (
    <>
      <CurveSettings settings={settings} onChange={change} hasMore={others.length > 0}>
        {uprights.length > 0 && (
          <span className="soft upright-key">
            {curves.marks.length > 0 && <span className="key-mark">mark</span>}{' '}
            {curves.alarms.length > 0 && <span className="key-alarm">alarm</span>}
          </span>
        )}
        <a className="button" href={csv} download>
          CSV
        </a>
      </CurveSettings>
      <div className="charts">
        {panels.map(({ title, names }) => (
          <Panel
            key={title}
            {...{ title, settings, uprights, xOf }}
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
  xOf,
  settings,
  uprights,
}: {
  title: string
  series: Curves['series']
  xOf: (step: number) => number
  settings: Settings
  uprights: readonly Upright[]
}) {
  const curves = useMemo(
    () =>
      series.map(({ name, steps, values }, i): Curve => {
        return { label: words(name), colour: COLOURS[i % COLOURS.length]!, steps, values, xOf }
      }),
    [series, xOf],
  )
  return <CurvePanel title={title} curves={curves} settings={settings} uprights={uprights} />
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
