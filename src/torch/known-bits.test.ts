// The bits of the kernels, on a machine that should give the known ones; and that they do not depend on threads.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentBuild } from './addon.ts'
import { bitsOfKernels, describe, forbidLeaks, KNOWN_BITS, setThreads } from './index.ts'

forbidLeaks({ beforeEach, afterEach })

const { instructionSets, threads } = describe()
// What other compilers make of a sum is not known.
const isKnown =
  process.arch === 'x64' &&
  instructionSets.includes('avx2') &&
  instructionSets.includes('fma') &&
  /^(c|g)\+\+.* 1[12]\.\d/.test(currentBuild().compiler)

test.skipIf(!isKnown)('gcc 11 and 12 give the known bits with AVX2 and AVX-512', () => {
  expect(bitsOfKernels()).toBe(KNOWN_BITS)
})

test('bits do not depend on threads', () => {
  const before = bitsOfKernels()
  setThreads(threads === 1 ? 2 : 1)
  try {
    expect(bitsOfKernels()).toBe(before)
  } finally {
    setThreads(threads)
  }
})
