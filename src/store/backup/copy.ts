// COPY, both ways. pg's client takes foreign queries: objects with `submit` that hear the protocol's messages. Text format,
// which every Postgres since 8 reads, so that `psql` can take a table out of a backup by itself.
import type { Client } from 'pg'

/** What of pg's connection these need; its published types leave COPY out. */
type Wire = {
  readonly stream: NodeJS.WritableStream & { writableNeedDrain: boolean }
  query(text: string): void
  sendCopyFromChunk(chunk: Uint8Array): void
  sendCopyFail(message: string): void
  endCopyFrom(): void
}
type Handlers = Partial<{
  handleCopyData(message: { chunk: Buffer }): void
  handleCopyInResponse(wire: Wire): void
}>

/** Hands each piece of `copy ... to stdout` to `take`, a row or less at a time; what `take` throws is thrown at the end. */
export async function copyOut(client: Client, text: string, take: (piece: Buffer) => void): Promise<void> {
  let failed: unknown
  await run(client, text, {
    handleCopyData({ chunk }) {
      if (failed !== undefined) return
      try {
        take(chunk)
      } catch (error) {
        failed = error ?? new Error('copy failed')
      }
    },
  })
  if (failed !== undefined) throw failed
}

/** Sends pieces to `copy ... from stdin`; nothing is kept when a piece cannot be had or is refused. */
export async function copyIn(client: Client, text: string, pieces: Iterable<Uint8Array>): Promise<void> {
  let failed: unknown
  let isOver = false
  const send = async (wire: Wire): Promise<void> => {
    try {
      for (const piece of pieces) {
        if (isOver) return
        wire.sendCopyFromChunk(piece)
        if (wire.stream.writableNeedDrain) await drained(wire.stream)
      }
      wire.endCopyFrom()
    } catch (error) {
      failed = error
      wire.sendCopyFail('the client could not go on')
    }
  }
  try {
    await run(client, text, { handleCopyInResponse: (wire) => void send(wire) })
  } catch (error) {
    throw failed ?? error
  } finally {
    isOver = true
  }
}

function drained(stream: Wire['stream']): Promise<void> {
  return new Promise((done) => {
    const go = (): void => {
      for (const event of ['drain', 'close', 'error']) stream.off(event, go)
      done()
    }
    for (const event of ['drain', 'close', 'error']) stream.once(event, go)
  })
}

function run(client: Client, text: string, handlers: Handlers): Promise<void> {
  return new Promise((done, fail) => {
    client.query({
      submit: (wire: unknown) => (wire as Wire).query(text),
      handleCommandComplete() {},
      // After an error the client tells a query nothing more.
      handleError: fail,
      handleReadyForQuery: done,
      ...handlers,
    } as { submit: (wire: unknown) => void })
  })
}
