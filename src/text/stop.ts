// Text up to a stop string, while it comes. What may yet become a stop string is held back, so that no part of one is
// shown. The stop string that is whole first ends the text, of several that end together the longest: so where the text
// is cut does not depend on the pieces in which it came.

export type Cut = {
  /** The text that no stop string can touch any more. */
  push(text: string): string
  /** What was held back and became no stop string. */
  end(): string
  readonly isStopped: boolean
}

/** `stops`: none of them empty. */
export function cutAtStop(stops: readonly string[]): Cut {
  let held = ''
  let isStopped = false
  return {
    push(text) {
      if (isStopped) return ''
      const pending = held + text
      const found = firstWhole(pending, stops)
      isStopped = found !== undefined
      const shown = found ?? pending.length - longestStart(pending, stops)
      held = isStopped ? '' : pending.slice(shown)
      return pending.slice(0, shown)
    },
    end() {
      const rest = held
      held = ''
      return rest
    },
    get isStopped() {
      return isStopped
    },
  }
}

/** Where the stop string begins that is whole first. */
function firstWhole(text: string, stops: readonly string[]): number | undefined {
  let first: { start: number; end: number } | undefined
  for (const stop of stops) {
    const start = text.indexOf(stop)
    const end = start + stop.length
    if (start >= 0 && (!first || end < first.end || (end === first.end && start < first.start))) first = { start, end }
  }
  return first?.start
}

/** Length of the longest end of `text` with which a stop string begins. */
function longestStart(text: string, stops: readonly string[]): number {
  const longest = Math.max(0, ...stops.map((stop) => stop.length - 1))
  for (let length = Math.min(longest, text.length); length > 0; length--)
    if (stops.some((stop) => text.endsWith(stop.slice(0, length)))) return length
  return 0
}
