import { afterEach, beforeEach, expect, test } from 'vitest'
import { describe, forbidLeaks, measure, memory, ones, resetPeakMemory, setThreads, sum } from './index.ts'

forbidLeaks({ beforeEach, afterEach })

test('describes the loaded library and this machine', () => {
  const d = describe()
  expect(d.version).toMatch(/^\d+\.\d+\.\d+/)
  expect(d.path).not.toBe('')
  expect(d.blas).not.toBe('unknown')
  expect(d.cpuCapability).not.toBe('unknown')
  expect(d.threads).toBeGreaterThan(0)
  for (const warning of d.warnings) expect(warning).toMatch(/\w/)
})

test('a wrong number of threads is refused; a right one is used', () => {
  const before = describe().threads
  expect(() => setThreads(0)).toThrow(/1 to 1024/)
  setThreads(1)
  expect(describe().threads).toBe(1)
  expect(describe().warnings.join()).toMatch(/HONE_THREADS|^((?!cores).)*$/)
  setThreads(before)
})

test('measures speeds above 0 and leaves nothing behind', () => {
  const m = measure()
  for (const speed of Object.values(m)) expect(speed).toBeGreaterThan(0.01)
})

test('memory counts what tensors hold', () => {
  resetPeakMemory()
  const before = memory().live
  const x = ones([1 << 20])
  expect(memory().live - before).toBeGreaterThanOrEqual(4 << 20)
  expect(memory().largest).toBe(4 << 20)
  sum(x).free()
  x.free()
  expect(memory().live).toBe(before)
  expect(memory().peak - before).toBeGreaterThanOrEqual(4 << 20)
})
