// How long somebody has worked on what is before them: seconds in which the page was seen and something was done within the
// last half minute.
import { useEffect, useRef } from 'react'

const IDLE_MILLISECONDS = 30_000
const SIGNS = ['pointermove', 'pointerdown', 'keydown', 'wheel', 'touchstart'] as const

/** Seconds of activity since this was mounted. */
export function useActiveSeconds(): () => number {
  const state = useRef({ active: 0, last: performance.now(), sign: performance.now() })
  useEffect(() => {
    const tick = (): void => count(state.current)
    const onSign = (): void => {
      tick()
      state.current.sign = performance.now()
    }
    const timer = setInterval(tick, 1000)
    for (const sign of SIGNS) window.addEventListener(sign, onSign, { passive: true })
    document.addEventListener('visibilitychange', tick)
    return () => {
      clearInterval(timer)
      for (const sign of SIGNS) window.removeEventListener(sign, onSign)
      document.removeEventListener('visibilitychange', tick)
    }
  }, [])
  return () => {
    count(state.current)
    return Math.round(state.current.active / 100) / 10
  }
}

function count(state: { active: number; last: number; sign: number }): void {
  const now = performance.now()
  if (!document.hidden) state.active += Math.max(0, Math.min(now, state.sign + IDLE_MILLISECONDS) - state.last)
  state.last = now
}
