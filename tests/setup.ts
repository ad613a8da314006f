// An unexpected console.error fails the test that caused it.
import { afterEach, beforeEach, expect, vi } from 'vitest'

beforeEach(() => {
  vi.spyOn(console, 'error')
})

afterEach(() => {
  const spy = vi.mocked(console.error)
  const calls = spy.mock.calls.map((c) => c.map(String).join(' '))
  spy.mockRestore()
  expect(calls, 'unexpected console.error').toEqual([])
})
