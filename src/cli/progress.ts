// Progress of a training run: one line that says where it is, how good, how fast and how long it still takes; with
// --json the same as events.
import type { Progress } from '#trainer'
import { duration, figure, type Output } from './output.ts'

/** Metrics that a line has room for, in this order. */
const SHOWN = [
  'loss',
  'heldOutLoss',
  'generalPerplexity',
  'generalRatio',
  'accuracy',
  'heldOutAccuracy',
  'score',
  'klAverage3',
  'entropy',
  'tokens',
]

/**
 * A listener for a run. Speed and time left are of the steps this process has seen, from the end of its first event: what
 * comes before it (reading rows, loading models) says nothing about a step.
 */
export function progressOf(out: Output): (event: Progress) => void {
  const start = performance.now()
  let first: { step: number; at: number } | undefined
  let tokens = 0
  return (event) => {
    switch (event.kind) {
      case 'step': {
        const { step, of, metrics } = event
        const now = performance.now()
        if (first === undefined) first = { step, at: now }
        else tokens += metrics.tokens ?? 0
        const seconds = (now - start) / 1000
        const working = (now - first.at) / 1000
        const done = step - first.step
        const speed = done > 0 ? { tokensPerSecond: tokens / working, left: (working / done) * (of - step) } : undefined
        out.event({ event: 'step', step, of, ...metrics, seconds, ...speed })
        const words = SHOWN.flatMap((name) => (metrics[name] === undefined ? [] : [`${name} ${figure(metrics[name])}`]))
        if (speed) words.push(`${figure(speed.tokensPerSecond)} tokens/s`, `${duration(speed.left)} left`)
        out.progress(`step ${step}/${of}  ${words.join('  ')}`)
        return
      }
      case 'alarm':
        out.event({ event: 'alarm', ...event })
        out.say(
          `alarm at step ${event.step}: ${event.name} (${event.rule}; ${figure(event.value)}, threshold ${figure(event.threshold)}) -> ${event.action}`,
        )
        return
      case 'mark':
        out.event({ event: 'mark', ...event })
        out.say(`mark at step ${event.step}, KL ${figure(event.mark.kl)}: ${event.mark.decision}; ${event.mark.reason}`)
        return
      case 'checkpoint':
        out.event({ event: 'checkpoint', step: event.step, folder: event.folder, reason: event.reason })
        return
      default:
        event satisfies never
    }
  }
}
