// Ctrl-C: the first asks the work to save and stop, the second ends the process at once.

/** Thrown after work was saved: the message says how to go on. Exit code 130. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}

/** Thrown at a checkpoint from which the work goes on when people have answered. Exit code 75. */
export class Waiting extends Error {
  override readonly name = 'Waiting'
}

/** Runs `work` with a signal that the first Ctrl-C (or SIGTERM) aborts, or the death of the trainer that started this process. */
export async function stoppable<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('\nstopping after this step; Ctrl-C again ends at once\n')
    controller.abort()
  }
  const onOrphaned = () => controller.abort()
  if (process.connected) process.on('disconnect', onOrphaned)
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  try {
    return await work(controller.signal)
  } catch (error) {
    // Work that has no checkpoint of its own is broken off by the signal itself.
    if (controller.signal.aborted && error instanceof Error && error.name === 'AbortError')
      throw new Stopped('stopped; the same command goes on from here', { cause: error })
    throw error
  } finally {
    process.off('disconnect', onOrphaned)
    process.off('SIGINT', onSignal)
    process.off('SIGTERM', onSignal)
  }
}
