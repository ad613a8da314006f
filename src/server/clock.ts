// What happens by itself when its time has come, looked for every few seconds by any server that is open. Each thing is done
// once, whoever finds it, and a server that was down does it when it is back.
import { closeOverdue, isBusy, isDown, type Store, tellLapses } from '#store'

export type Clock = { close(): Promise<void> }

const LOOK_MILLISECONDS = 2000

export function openClock({ store, onDefect }: { store: Store; onDefect: (error: unknown) => void }): Clock {
  let looking: Promise<unknown> = Promise.resolve()
  const look = (): void => {
    looking = looking
      .then(() => closeOverdue(store))
      .then(() => tellLapses(store))
      .catch((error: unknown) => !isDown(error) && !isBusy(error) && onDefect(error))
  }
  const timer = setInterval(look, LOOK_MILLISECONDS)
  timer.unref()
  return {
    async close() {
      clearInterval(timer)
      await looking
    },
  }
}
