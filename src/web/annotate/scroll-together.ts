// Two long texts beside each other scroll as one: by the share that is above the window, since one may be longer.
import { type RefObject, type UIEvent, useLayoutEffect, useRef, useState } from 'react'

type Side = 'left' | 'right'
type Scroller = {
  ref: RefObject<HTMLDivElement | null>
  onScroll: (event: UIEvent<HTMLDivElement>) => void
  onWheel: () => void
  onPointerDown: () => void
  onFocus: () => void
  onKeyDown: () => void
  /** Only what scrolls is reached by Tab; there arrows scroll, and do not move between questions. */
  tabIndex?: 0
  role?: 'group'
  'aria-label'?: string
  'data-scrolls'?: true
}

/** `shown`: what the two are made of; when that changes, both begin at their tops. */
export function useScrollTogether(isOn: boolean, shown: readonly string[]): (side: Side) => Scroller {
  const refs = { left: useRef<HTMLDivElement>(null), right: useRef<HTMLDivElement>(null) }
  /** The side that is being scrolled by hand; the other one follows, and its own events move nothing back. */
  const leader = useRef<Side | undefined>(undefined)
  const [long, setLong] = useState<Record<Side, boolean>>({ left: false, right: false })
  const { left, right } = refs
  useLayoutEffect(() => {
    const measure = (): void =>
      setLong((before) => {
        const now = { left: isLong(left.current), right: isLong(right.current) }
        return before.left === now.left && before.right === now.right ? before : now
      })
    const watch = new ResizeObserver(measure)
    for (const { current } of [left, right]) {
      if (!current) continue
      current.scrollTop = 0
      watch.observe(current)
      // What formulas add comes later.
      if (current.firstElementChild) watch.observe(current.firstElementChild)
    }
    measure()
    return () => watch.disconnect()
    // The texts are what they are made of.
  }, [left, right, ...shown])

  return (side) => ({
    ref: refs[side],
    onWheel: () => void (leader.current = side),
    onPointerDown: () => void (leader.current = side),
    onFocus: () => void (leader.current = side),
    onKeyDown: () => void (leader.current = side),
    onScroll: ({ currentTarget: moved }) => {
      leader.current ??= side
      const follower = refs[side === 'left' ? 'right' : 'left'].current
      const room = moved.scrollHeight - moved.clientHeight
      if (!isOn || leader.current !== side || !follower || room <= 0) return
      follower.scrollTop = Math.round((moved.scrollTop / room) * (follower.scrollHeight - follower.clientHeight))
    },
    ...(long[side] && {
      tabIndex: 0 as const,
      role: 'group' as const,
      'aria-label': `${side === 'left' ? 'Left' : 'Right'}, scrolls`,
      'data-scrolls': true as const,
    }),
  })
}

function isLong(element: HTMLElement | null): boolean {
  return element !== null && element.scrollHeight > element.clientHeight + 1
}
