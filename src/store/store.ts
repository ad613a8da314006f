// The open store: one pool of connections, statements and transactions. A commit has reached the disk before its promise
// resolves (synchronous_commit is on). Where the embedded server was killed, the next statement starts it again.
import { Pool, type PoolClient, types } from 'pg'
import { ConfigError } from '#errors'
import { isDown, openEmbedded } from './embedded.ts'
import { migrate } from './migrate.ts'

/** Runs one statement; answers its rows. Numbers of `bigint` columns arrive as numbers, times as ISO strings. */
export type Query = <Row = Record<string, unknown>>(text: string, values?: readonly unknown[]) => Promise<Row[]>

export type Store = {
  /** A statement by itself is a transaction by itself. */
  readonly query: Query
  /** All or nothing. The work must not be done twice by its caller when this throws: ask what is there first. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>
  /** Leaves the database; the embedded one stops with its last user. */
  close(): Promise<void>
}

/** Oldest Postgres that is known to work. */
const OLDEST = 15
const MOST_CONNECTIONS = 16
const PARSERS: Record<number, (text: string) => unknown> = {
  [types.builtins.INT8]: (text) => {
    const value = Number(text)
    if (!Number.isSafeInteger(value)) throw new Error(`bigint ${text} is beyond exact numbers`)
    return value
  },
  [types.builtins.TIMESTAMPTZ]: (text) => new Date(text).toISOString(),
}

/**
 * Opens the store of a workspace and brings its tables up to date. `databaseUrl` names a team's own Postgres; without it
 * the workspace has one of its own.
 */
export async function openStore({
  workspace,
  databaseUrl,
}: {
  workspace: string
  databaseUrl?: string | undefined
}): Promise<Store> {
  const embedded = databaseUrl === undefined ? await openEmbedded(workspace) : undefined
  const connection = embedded?.connection ?? { connectionString: databaseUrl }
  const pool = new Pool({
    ...connection,
    max: MOST_CONNECTIONS,
    options:
      '-c search_path=hone -c statement_timeout=60000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000',
    connectionTimeoutMillis: 10_000,
    types: {
      getTypeParser: (id, format) => (format === 'binary' ? undefined : PARSERS[id]) ?? types.getTypeParser(id),
    },
  })
  // A connection that dies while idle is replaced by the next statement.
  pool.on('error', () => {})
  // Nor does one end the program that dies between being taken from the pool and being listened to.
  pool.on('connect', (client) => client.on('error', () => {}))

  const connect = async (): Promise<PoolClient> => {
    try {
      return await pool.connect()
    } catch (error) {
      if (!embedded || !isDown(error)) throw error
      await embedded.ensure()
      return pool.connect()
    }
  }
  const withClient = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await connect()
    let broken: Error | undefined
    const onError = (error: Error) => (broken = error)
    client.on('error', onError)
    try {
      return await work(client)
    } catch (error) {
      if (isDown(error)) broken = error as Error
      throw error
    } finally {
      client.off('error', onError)
      client.release(broken)
    }
  }
  const queryOn =
    (client: PoolClient): Query =>
    async <Row>(text: string, values: readonly unknown[] = []) => {
      const name = values.length > 0 ? nameOf(text) : undefined
      return (await client.query({ text, values: [...values], ...(name !== undefined && { name }) })).rows as Row[]
    }
  const store: Store = {
    query: <Row>(text: string, values?: readonly unknown[]) =>
      withClient((client) => queryOn(client)<Row>(text, values)),
    transaction: (work) =>
      withClient(async (client) => {
        await client.query('begin')
        try {
          const answer = await work(queryOn(client))
          await client.query('commit')
          return answer
        } catch (error) {
          await client.query('rollback').catch(() => {})
          throw error
        }
      }),
    async close() {
      await pool.end()
      await embedded?.leave()
    },
  }
  try {
    await checkVersion(store)
    await migrate(store)
    return store
  } catch (error) {
    await store.close().catch(() => {})
    throw error
  }
}

/** More than there are in all of hone: beyond it somebody writes values into texts, and those are not kept. */
const MOST_PREPARED = 1000
const prepared = new Map<string, string>()

/** By a name each connection has Postgres read and plan a statement once; planning is what most of ours cost. */
function nameOf(text: string): string | undefined {
  const known = prepared.get(text)
  if (known !== undefined || prepared.size >= MOST_PREPARED) return known
  const name = `hone_${prepared.size}`
  prepared.set(text, name)
  return name
}

async function checkVersion({ query }: Store): Promise<void> {
  const [row] = await query<{ version: string }>("select current_setting('server_version_num') as version")
  const major = Math.floor(Number(row!.version) / 10_000)
  if (major < OLDEST) throw new ConfigError(`DATABASE_URL: expected Postgres ${OLDEST} or newer, got ${major}`)
}
