// How curves are looked at, alike for one run and for several: smoothing, what lies along the axis, log scale, all metrics;
// and which metrics belong into one panel. Names are those that the field knows.
import { type ReactNode, useMemo, useState } from 'react'
import { type Line, LineChart, type Upright } from './line-chart.tsx'
import { smooth } from './smooth.ts'
import type { Curves } from './use-live.ts'

export const PANELS: { title: string; names: string[] }[] = [
  { title: 'Loss', names: ['loss', 'heldOutLoss'] },
  { title: 'Perplexity', names: ['heldOutPerplexity', 'generalPerplexity'] },
  { title: 'Perplexity over the base’s', names: ['heldOutRatio', 'generalRatio'] },
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
export type Axis = 'step' | 'hours' | 'tokens'
export type Settings = { weight: number; axis: Axis; isLog: boolean; isAll: boolean }

export function useCurveSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, set] = useState<Settings>({ weight: 0, axis: 'step', isLog: false, isAll: false })
  return [settings, (change) => set((before) => ({ ...before, ...change }))]
}

export function CurveSettings({
  settings: { weight, axis, isLog, isAll },
  onChange,
  hasMore,
  children,
}: {
  settings: Settings
  onChange: (change: Partial<Settings>) => void
  /** There are metrics that stand in no panel. */
  hasMore: boolean
  children?: ReactNode
}) {
  return (
    <div className="row curve-settings">
      <label>
        Smoothing{' '}
        <input
          type="range"
          min={0}
          max={0.98}
          step={0.02}
          value={weight}
          onChange={(e) => onChange({ weight: Number(e.target.value) })}
        />
      </label>
      <label>
        By{' '}
        <select value={axis} onChange={(e) => onChange({ axis: e.target.value as Axis })}>
          <option value="step">step</option>
          <option value="hours">time</option>
          <option value="tokens">tokens</option>
        </select>
      </label>
      <label>
        <input type="checkbox" checked={isLog} onChange={(e) => onChange({ isLog: e.target.checked })} /> Log scale
      </label>
      {hasMore && (
        <label>
          <input type="checkbox" checked={isAll} onChange={(e) => onChange({ isAll: e.target.checked })} /> All metrics
        </label>
      )}
      {children}
    </div>
  )
}

export type Curve = {
  label: string
  colour: Line['colour']
  steps: readonly number[]
  values: readonly number[]
  /** Where a step lies on the axis. */
  xOf: (step: number) => number
}

export function CurvePanel({
  title,
  curves,
  settings: { weight, axis, isLog },
  uprights = [],
}: {
  title: string
  curves: readonly Curve[]
  settings: Settings
  uprights?: readonly Upright[]
}) {
  const lines = useMemo(
    () =>
      curves.flatMap(({ label, colour, steps, values, xOf }): Line[] => {
        const line = { label, xs: steps.map(xOf), colour }
        if (weight === 0 || values.length < 3) return [{ ...line, ys: values }]
        return [
          { ...line, ys: values, isFaint: true },
          { ...line, ys: smooth(values, weight) },
        ]
      }),
    [curves, weight],
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
export function placeOn({ steps, at, tokens }: Curves['axes'], axis: Axis): (step: number) => number {
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

/** `heldOutLoss` as people say it. */
export function words(name: string): string {
  return name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`).replace('held out', 'held-out')
}
