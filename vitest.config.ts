import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** A fresh clone knows no durations and begins with the largest files; these take far longer than their size says. */
const LONGEST = [
  'tests/story.e2e.test.ts',
  'tests/demo.e2e.test.ts',
  'src/trainer/supervisor.test.ts',
  'tests/quickstart.test.ts',
  'src/server/whole-api.test.ts',
  'src/trainer/resume.test.ts',
  'tests/cli.test.ts',
  'tests/person.e2e.test.ts',
  'src/store/backup/backup.test.ts',
  'tests/real-model.test.ts',
  'src/lm/recompute.test.ts',
  'src/cli/people-judge.test.ts',
]

/** Functions of their arguments: their tests leave nothing in the process, so those of all files share one and what it imports. */
const PURE = ['align', 'diff', 'engine', 'evaluate', 'feedback', 'lineage', 'report', 'schema', 'simulate', 'stats']
const TOGETHER = [`src/{${PURE.join(',')}}/**/*.test.ts`, 'domains/**/*.test.ts']

/** What takes longest begins first, so that no process waits at the end for another's long file. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONGEST.indexOf(relative(import.meta.dirname, moduleId))
      return at === -1 ? LONGEST.length : at
    }
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b))
  }
}

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'together', include: TOGETHER, isolate: false } },
      { extends: true, test: { name: 'apart', include: ['{src,tests,scripts}/**/*.test.ts'], exclude: TOGETHER } },
    ],
    // The addon holds one thread pool a process: forks, so that a native fault names its file.
    pool: 'forks',
    maxWorkers: 2,
    // A machine that does other work is slow, not wrong.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    setupFiles: ['tests/setup.ts'],
    sequence: { sequencer: LongestFirst },
  },
})
