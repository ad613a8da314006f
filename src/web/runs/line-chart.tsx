// Lines on a canvas (uPlot): numbers on hover or by the arrow keys, alarms and marks as uprights, colours of the page's
// scheme. Lines may have their own x.
import { useEffect, useId, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export type Line = {
  label: string
  xs: readonly number[]
  ys: readonly number[]
  colour: Colour
  isFaint?: boolean
  onRight?: boolean
  isDotted?: boolean
}
export type Upright = { x: number; kind: 'alarm' | 'mark' }
type Colour = 'accent' | 'check' | 'warm' | 'soft' | 'bad'

const HEIGHT = 190

export function LineChart({
  title,
  lines,
  uprights = [],
  xLabel,
  isLog = false,
  formatX = shortNumber,
  formatTick = shortNumber,
  isWhole = false,
  rightRange,
}: {
  title: string
  lines: readonly Line[]
  uprights?: readonly Upright[]
  xLabel: string
  isLog?: boolean
  formatX?: (x: number) => string
  /** Shorter, along the axis. */
  formatTick?: (x: number) => string
  /** No place between two whole numbers means anything. */
  isWhole?: boolean
  rightRange?: [number, number]
}) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const words = useId()
  const [said, setSaid] = useState('')
  const scheme = useScheme()
  const shape = JSON.stringify([
    lines.map((line) => ({ ...line, xs: 0, ys: 0 })),
    xLabel,
    isLog,
    scheme,
    rightRange,
    isWhole,
  ])
  const newest = useRef({ lines, uprights, formatX, formatTick })
  newest.current = { lines, uprights, formatX, formatTick }

  useEffect(() => {
    const element = box.current!
    const colour = (name: string): string => getComputedStyle(element).getPropertyValue(`--${name}`).trim()
    const axis = {
      stroke: colour('soft'),
      grid: { stroke: colour('hair'), width: 1 },
      ticks: { stroke: colour('hair'), width: 1 },
      font: `12px ${colour('sans')}`,
    }
    const shown = newest.current.lines
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height: HEIGHT,
        scales: {
          x: { time: false },
          y: { distr: isLog ? 3 : 1 },
          ...(rightRange && { right: { range: rightRange } }),
        },
        legend: { show: false },
        cursor: { y: false, points: { size: 6 } },
        axes: [
          {
            ...axis,
            values: (_, ticks) => ticks.map((x) => newest.current.formatTick(x)),
            size: 28,
            ...(isWhole && { incrs: WHOLE }),
          },
          {
            ...axis,
            values: (_, ticks, __, ___, increment) => ticks.map((y) => (y === null ? '' : tickOf(y, increment))),
            size: 58,
          },
          ...(shown.some(({ onRight }) => onRight)
            ? [{ ...axis, side: 1, scale: 'right', grid: { show: false }, size: 44 } satisfies uPlot.Axis]
            : []),
        ],
        series: [
          {},
          ...shown.map(
            ({ label, colour: name, isFaint, onRight, isDotted }): uPlot.Series => ({
              label,
              stroke: colour(name),
              width: isFaint ? 1 : 2,
              alpha: isFaint ? 0.3 : 1,
              spanGaps: true,
              points: { show: isDotted === true, size: 7 },
              ...(isDotted && { dash: [4, 4] }),
              ...(onRight && { scale: 'right' }),
            }),
          ),
        ],
        hooks: {
          draw: [(u) => drawUprights(u, newest.current.uprights, { alarm: colour('bad'), mark: colour('check') })],
          setCursor: [
            (u) => {
              const i = u.cursor.idx
              setSaid(i === null || i === undefined ? '' : sentenceAt(u, i, newest.current))
            },
          ],
        },
      },
      aligned(shown, isLog),
      element,
    )
    plot.current = made
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    resized.observe(element)
    return () => {
      resized.disconnect()
      made.destroy()
      plot.current = undefined
    }
  }, [shape, isLog])

  useEffect(() => {
    plot.current?.setData(aligned(lines, isLog))
  }, [lines, uprights, isLog])

  /** Arrows walk from point to point. */
  const onKey = (event: React.KeyboardEvent): void => {
    const u = plot.current
    const xs = u?.data[0]
    if (!u || !xs || xs.length === 0 || !['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(event.key)) return
    event.preventDefault()
    const now = u.cursor.idx ?? xs.length - 1
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: xs.length - 1 }[event.key as 'Home']
    const x = xs[Math.min(xs.length - 1, Math.max(0, to))]!
    u.setCursor({ left: u.valToPos(x, 'x'), top: 10 })
  }
  return (
    <figure className="chart">
      <figcaption>
        {title}
        <button
          type="button"
          className="quiet"
          aria-label={`${title} as PNG`}
          onClick={() => savePicture(plot.current, title)}
        >
          PNG
        </button>
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: arrows read the points */}
      <div
        ref={box}
        className="chart-box"
        role="img"
        tabIndex={0}
        aria-label={summary(title, lines)}
        aria-describedby={words}
        onKeyDown={onKey}
      />
      <p id={words} className="chart-words" aria-live="polite">
        {said === ''
          ? lines
              .filter(({ isFaint }) => !isFaint)
              .map(({ label, ys, colour }) => (
                <span key={label} className={`key key-${colour}`}>
                  {label} <b>{ys.length > 0 ? figure(ys.at(-1)!) : '–'}</b>
                </span>
              ))
          : said}
      </p>
    </figure>
  )
}

function aligned(lines: readonly Line[], isLog: boolean): uPlot.AlignedData {
  if (lines.length === 0) return [[]]
  // A logarithm takes what is above zero.
  const value = (y: number): number | null => (isLog && y <= 0 ? null : y)
  return uPlot.join(lines.map(({ xs, ys }): uPlot.AlignedData => [[...xs], ys.map(value)]))
}

function drawUprights(u: uPlot, uprights: readonly Upright[], colours: Record<Upright['kind'], string>): void {
  const { ctx, bbox } = u
  ctx.save()
  for (const { x, kind } of uprights) {
    const at = Math.round(u.valToPos(x, 'x', true)) + 0.5
    if (at < bbox.left || at > bbox.left + bbox.width) continue
    ctx.strokeStyle = colours[kind]
    ctx.lineWidth = devicePixelRatio
    ctx.setLineDash(kind === 'mark' ? [] : [3 * devicePixelRatio, 3 * devicePixelRatio])
    ctx.beginPath()
    ctx.moveTo(at, bbox.top)
    ctx.lineTo(at, bbox.top + bbox.height)
    ctx.stroke()
  }
  ctx.restore()
}

type Shown = { lines: readonly Line[]; formatX: (x: number) => string }

function sentenceAt(u: uPlot, i: number, { lines, formatX }: Shown): string {
  const x = u.data[0][i]
  if (x === undefined) return ''
  const values = lines.flatMap(({ label, isFaint }, s) => {
    const y = u.data[s + 1]?.[i]
    return typeof y === 'number' ? [`${label}${isFaint ? ' (raw)' : ''} ${figure(y)}`] : []
  })
  return `${formatX(x)}: ${values.join(', ')}`
}

function summary(title: string, lines: readonly Line[]): string {
  const drawn = lines.filter(({ isFaint, ys }) => !isFaint && ys.length > 0)
  const words = drawn.map(({ label, ys }) => `${label} from ${figure(ys[0]!)} to ${figure(ys.at(-1)!)}`)
  return `${title}: ${words.join('; ') || 'no points yet'}. Arrow keys read the points.`
}

/** Dark or light, as the page is shown now. */
function useScheme(): string {
  const [isDark, setDark] = useState(() => matchMedia('(prefers-color-scheme: dark)').matches)
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)')
    const onChange = (): void => setDark(query.matches)
    query.addEventListener('change', onChange)
    return () => query.removeEventListener('change', onChange)
  }, [])
  return isDark ? 'dark' : 'light'
}

/** The canvas on the page's ground. */
function savePicture(plot: uPlot | undefined, title: string): void {
  if (!plot) return
  const source = plot.ctx.canvas
  const canvas = document.createElement('canvas')
  Object.assign(canvas, { width: source.width, height: source.height })
  const ctx = canvas.getContext('2d')!
  ctx.fillStyle = getComputedStyle(plot.root).getPropertyValue('--card')
  ctx.fillRect(0, 0, canvas.width, canvas.height)
  ctx.drawImage(source, 0, 0)
  canvas.toBlob((blob) => {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(blob!)
    link.download = `${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.png`
    link.click()
    URL.revokeObjectURL(link.href)
  })
}

/** Four significant digits. */
export function figure(value: number): string {
  if (value === 0) return '0'
  const size = Math.abs(value)
  return size >= 1e6 || size < 1e-4
    ? value.toExponential(2)
    : Number(value.toPrecision(4)).toLocaleString('en', { maximumFractionDigits: 8 })
}

/** With as many digits as tell one tick from the next. */
function tickOf(value: number, increment: number): string {
  if (Math.abs(value) >= 1e4 || (value !== 0 && Math.abs(value) < 1e-4)) return shortNumber(value)
  return value.toFixed(Math.max(0, -Math.floor(Math.log10(increment || 1) + 1e-9)))
}

/** Distances of ticks on an axis of whole numbers. */
const WHOLE = [0, 1, 2, 3, 4, 5, 6].flatMap((power) => [1, 2, 5].map((n) => n * 10 ** power))

function shortNumber(value: number): string {
  const size = Math.abs(value)
  if (size >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`
  if (size >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`
  return size !== 0 && size < 1e-3 ? value.toExponential(0) : String(Number(value.toPrecision(4)))
}
