// How a command speaks: events (JSON lines on standard output with --json), words for people (standard output, or
// standard error with --json), and one progress line for long work. No command writes to a stream by itself.

export type Event = { event: string } & Record<string, unknown>

export type Output = {
  readonly json: boolean
  /** One JSON line, only with --json. */
  event: (e: Event) => void
  /** A line for people. */
  say: (text: string) => void
  /** A sentence that must not be missed: always on standard error. */
  warn: (text: string) => void
  /** The result itself: always on standard output, unless --json carries it as an event. */
  print: (text: string) => void
  /** A line that replaces the one before on a terminal; elsewhere it is written at most once in ten seconds. */
  progress: (text: string) => void
  /** Ends a progress line, so that what follows begins on a line of its own. */
  endProgress: () => void
}

const QUIET_SECONDS = 10

export function output({ json = false }: { json?: boolean | undefined } = {}): Output {
  const words = json ? process.stderr : process.stdout
  const isTerminal = process.stderr.isTTY
  let open = false
  let last = -Infinity
  const endProgress = () => {
    if (open) process.stderr.write('\n')
    open = false
  }
  return {
    json,
    event(e) {
      if (json) process.stdout.write(`${JSON.stringify(e)}\n`)
    },
    say(text) {
      endProgress()
      words.write(`${text}\n`)
    },
    warn(text) {
      endProgress()
      process.stderr.write(`${text}\n`)
    },
    print(text) {
      endProgress()
      if (!json) process.stdout.write(`${text}\n`)
    },
    progress(text) {
      if (isTerminal) {
        const width = process.stderr.columns ?? 80
        process.stderr.write(`\r\x1b[2K${text.slice(0, width - 1)}`)
        open = true
        return
      }
      const now = performance.now() / 1000
      if (now - last < QUIET_SECONDS) return
      last = now
      process.stderr.write(`${text}\n`)
    },
    endProgress,
  }
}

/** `3 s`, `2 min 5 s`, `1 h 4 min`. */
export function duration(seconds: number): string {
  const s = Math.round(seconds)
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

/** Three or four significant digits, without an exponent where it can be avoided. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1000) return Math.round(value).toString()
  if (size >= 0.001) return Number(value.toPrecision(4)).toString()
  return value.toExponential(2)
}
