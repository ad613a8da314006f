// One connection to the database of a workspace as it is: no table is made or brought up to date by looking at it.
import fs from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { openEmbedded } from '../embedded.ts'

export type Alone = {
  readonly client: Client
  /** The embedded server stops with its last user. */
  close(): Promise<void>
}

/** Undefined: the workspace has no database of its own and no other is named. `isNew` makes one. */
export async function connectAlone({
  workspace,
  databaseUrl,
  isNew = false,
}: {
  workspace: string
  databaseUrl?: string | undefined
  isNew?: boolean
}): Promise<Alone | undefined> {
  if (databaseUrl === undefined && !isNew && !fs.existsSync(join(workspace, 'postgres', 'data'))) return undefined
  const embedded = databaseUrl === undefined ? await openEmbedded(workspace) : undefined
  const client = new Client(embedded?.connection ?? { connectionString: databaseUrl })
  // The statement under way is told; between two of them there is nobody to tell.
  client.on('error', () => {})
  try {
    await client.connect()
  } catch (error) {
    await embedded?.leave()
    throw error
  }
  return {
    client,
    async close() {
      await client.end()
      await embedded?.leave()
    },
  }
}
