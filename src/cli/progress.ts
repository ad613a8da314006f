// Progress of a training run: one line that says where it is, how good, how fast and how long it still takes; with
// --json the same as events.
import type { Progress } from '#trainer'
import { duration, figure, type Output } from './output.ts'

/** Metrics that a line has room for, in this order. */
const SHOWN = ['loss', 'heldOutLoss', 'accuracy', 'heldOutAccuracy', 'score', 'klAverage3', 'entropy', 'tokens']

/** A listener for a run. Speed is of this process: a resumed run counts from where it went on. */
export function progressOf(out: Output): (event: Progress) => void {
  const start = performance.now()
  let first: number | undefined
  let tokens = 0
  return (event) => {
    switch (event.kind) {
      case 'step': {
        const { step, of, metrics } = event
        const seconds = (performance.now() - start) / 1000
        first ??= step - 1
        tokens += metrics.tokens ?? 0
        const tokensPerSecond = tokens / seconds
        const left = (seconds / Math.max(1, step - first)) * (of - step)
        out.event({ event: 'step', step, of, ...metrics, seconds, tokensPerSecond })
        const words = SHOWN.flatMap((name) => (metrics[name] === undefined ? [] : [`${name} ${figure(metrics[name])}`]))
        out.progress(
          `step ${step}/${of}  ${words.join('  ')}  ${figure(tokensPerSecond)} tokens/s  ${duration(left)} left`,
        )
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
