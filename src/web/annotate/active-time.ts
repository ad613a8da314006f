// How long somebody has worked on what is before them: seconds in which the page was seen and something was done within the
// last half minute. They lie in the tab while the page is loaded again, and in the draft for another device.
import { useEffect, useRef } from 'react'

const IDLE_MILLISECONDS = 30_000
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'] as const

export type ActiveTime = {
  /** Seconds so far. */
  seconds: () => number
  /** It is answered, or left: the tab keeps them no longer. */
  forget: () => void
}

/** Goes on from what the tab has of this item, or from the seconds that its draft brings, whichever are more. */
export function useActiveTime({ user, item }: { user: string; item: string }, drafted = 0): ActiveTime {
  const place = `hone.active.${user}.${item}`
  const state = useRef<Counting>(undefined)
  const counting = (state.current ??= begin(Math.max(inTab(place), drafted)))
  useEffect(() => {
    const tick = (): void => {
      count(counting)
      if (!counting.isForgotten) keepInTab(place, counting.active / 1000)
    }
    const onSign = (): void => {
      count(counting)
      counting.sign = performance.now()
    }
    const timer = setInterval(tick, 1000)
    for (const sign of SIGNS) window.addEventListener(sign, onSign, { passive: true })
    document.addEventListener('visibilitychange', tick)
    window.addEventListener('pagehide', tick)
    return () => {
      clearInterval(timer)
      for (const sign of SIGNS) window.removeEventListener(sign, onSign)
      document.removeEventListener('visibilitychange', tick)
      window.removeEventListener('pagehide', tick)
    }
  }, [counting, place])
  return {
    seconds: () => {
      count(counting)
      return Math.round(counting.active / 100) / 10
    },
    forget: () => {
      counting.isForgotten = true
      keepInTab(place, 0)
    },
  }
}

/** Milliseconds. */
type Counting = { active: number; last: number; sign: number; isForgotten: boolean }

function begin(seconds: number): Counting {
  const now = performance.now()
  return { active: seconds * 1000, last: now, sign: now, isForgotten: false }
}

function count(counting: Counting): void {
  const now = performance.now()
  const { sign, last } = counting
  if (!document.hidden) counting.active += Math.max(0, Math.min(now, sign + IDLE_MILLISECONDS) - last)
  counting.last = now
}

function inTab(place: string): number {
  try {
    return Number(sessionStorage.getItem(place) ?? 0) || 0
  } catch {
    return 0
  }
}

function keepInTab(place: string, seconds: number): void {
  try {
    if (seconds === 0) sessionStorage.removeItem(place)
    else sessionStorage.setItem(place, String(seconds))
  } catch {
    // Where nothing may be stored, nothing is.
  }
}
