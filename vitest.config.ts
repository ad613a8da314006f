import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'domains/**/*.test.ts', 'tests/**/*.test.ts', 'scripts/**/*.test.ts'],
    // The addon holds one thread pool a process: forks, so that a native fault names its file.
    pool: 'forks',
    maxWorkers: 2,
    // A machine that does other work is slow, not wrong.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    setupFiles: ['tests/setup.ts'],
  },
})
