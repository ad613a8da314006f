// For test files that use tensors: `forbidLeaks({ beforeEach, afterEach })` fails a test that leaves more tensors alive than it found.
import { liveTensors } from './tensor.ts'

type Hook = (fn: () => void) => void

export function forbidLeaks(hooks: { beforeEach: Hook; afterEach: Hook }): void {
  let before = 0
  hooks.beforeEach(() => {
    before = liveTensors()
  })
  hooks.afterEach(() => {
    const after = liveTensors()
    if (after > before) throw new Error(`${after - before} tensors leaked: ${before} were alive before, ${after} after`)
  })
}
