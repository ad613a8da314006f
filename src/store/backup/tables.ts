// The tables of a store as rows of text: read in one snapshot, hashed in the order of their keys, and loaded again in the
// order of their references. The same rows have the same hash on every Postgres, whatever its collation or version.
import { createHash } from 'node:crypto'
import type { Client } from 'pg'
import { z } from 'zod'
import { invariant } from '#errors'
import { canonicalJson, sha256 } from '#files'
import { copyIn, copyOut } from './copy.ts'

export const Table = z.strictObject({
  name: z.string(),
  columns: z.array(z.string()),
  rows: z.number().int(),
  /** Of its rows in COPY's text format, in the order of the primary key. */
  sha256: z.string(),
})
export type Table = z.infer<typeof Table>
export const Sequence = z.strictObject({ name: z.string(), value: z.string(), isCalled: z.boolean() })
export type Sequence = z.infer<typeof Sequence>

type Shape = { name: string; columns: string[]; order: string }

/** Every name by which a store's tables are called. */
export const SCHEMA = 'hone'
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
const full = (name: string): string => `${SCHEMA}.${quoted(name)}`

/** What text looks like may not hang on a server's settings; call it in the transaction that reads or loads. */
export async function fixText(client: Client): Promise<void> {
  await client.query(`set local client_encoding = 'UTF8'; set local timezone = 'UTC'; set local datestyle = 'ISO, YMD';
    set local intervalstyle = 'postgres'; set local bytea_output = 'hex'; set local extra_float_digits = 1;
    set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0; set local search_path = ${SCHEMA}`)
}

/** Names of the tables that are there, sorted. */
export async function listTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname::text as name from pg_class where relnamespace = to_regnamespace($1) and relkind in ('r', 'p')
     order by relname collate "C"`,
    [SCHEMA],
  )
  return rows.map(({ name }) => name)
}

/**
 * Reads every table; `write`, where there is one, gets its rows as they come. `columns`: of a table, fewer than all. Call it
 * after `fixText`.
 */
export async function readTables(
  client: Client,
  {
    write,
    columns,
  }: {
    write?: (table: string) => { piece(bytes: Uint8Array): void; end(): void }
    columns?: ReadonlyMap<string, string[]> | undefined
  } = {},
): Promise<Table[]> {
  const tables: Table[] = []
  for (const name of await listTables(client)) {
    const whole = await shapeOf(client, name)
    const shape = { ...whole, columns: columns?.get(name) ?? whole.columns }
    const hash = createHash('sha256')
    const out = write?.(name)
    let rows = 0
    await copyOut(client, `copy (${selectOf(shape)}) to stdout`, (piece) => {
      hash.update(piece)
      out?.piece(piece)
      // Line breaks of a value are escaped: each one that is there ends a row.
      for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) rows++
    })
    out?.end()
    tables.push({ name, columns: shape.columns, rows, sha256: hash.digest('hex') })
  }
  return tables
}

/** One hash for all that the tables hold. */
export function contentHash(tables: readonly Table[]): string {
  return sha256(canonicalJson(tables.map(({ name, columns, sha256: rows }) => [name, columns, rows])))
}

/** Where each counter stands; read after the tables, it is never behind them. */
export async function readSequences(client: Client): Promise<Sequence[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname::text as name from pg_class where relnamespace = to_regnamespace($1) and relkind = 'S'
     order by relname collate "C"`,
    [SCHEMA],
  )
  const sequences: Sequence[] = []
  for (const { name } of rows) {
    const { rows: found } = await client.query<{ value: string; isCalled: boolean }>(
      `select last_value::text as value, is_called as "isCalled" from ${full(name)}`,
    )
    sequences.push({ name, ...found[0]! })
  }
  return sequences
}

/** Loads rows into the tables that were just made; what their making put there goes first. Call it in a transaction. */
export async function loadTables(
  client: Client,
  { tables, sequences }: { tables: readonly Table[]; sequences: readonly Sequence[] },
  read: (table: Table) => Iterable<Uint8Array>,
): Promise<void> {
  await client.query(`truncate ${tables.map(({ name }) => full(name)).join(', ')}`)
  for (const table of await inOrder(client, tables)) {
    const columns = table.columns.map(quoted).join(', ')
    await copyIn(client, `copy ${full(table.name)} (${columns}) from stdin`, read(table))
  }
  for (const { name, value, isCalled } of sequences)
    await client.query('select setval($1::regclass, $2, $3)', [full(name), value, isCalled])
}

async function shapeOf(client: Client, table: string): Promise<Shape> {
  const { rows: columns } = await client.query<{ name: string }>(
    `select attname::text as name from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum`,
    [full(table)],
  )
  const { rows: keys } = await client.query<{ name: string; isText: boolean }>(
    `select attname::text as name, attcollation <> 0 as "isText" from pg_index, unnest(indkey) with ordinality as key (number, place)
     join pg_attribute on attrelid = $1::regclass and attnum = key.number
     where indrelid = $1::regclass and indisprimary order by key.place`,
    [full(table)],
  )
  // Without a key the rows themselves are the order.
  const order = keys.length > 0 ? keys.map(({ name, isText }) => `${quoted(name)}${isText ? ' collate "C"' : ''}`) : []
  return {
    name: table,
    columns: columns.map(({ name }) => name),
    order: order.length > 0 ? order.join(', ') : `${quoted(table)}::text collate "C"`,
  }
}

function selectOf({ name, columns, order }: Shape): string {
  return `select ${columns.map(quoted).join(', ')} from ${full(name)} order by ${order}`
}

/** What is referred to comes before what refers to it; rows of one table may refer to each other. */
async function inOrder(client: Client, tables: readonly Table[]): Promise<Table[]> {
  const { rows: references } = await client.query<{ from: string; to: string }>(
    `select c.relname::text as "from", r.relname::text as "to" from pg_constraint
     join pg_class as c on c.oid = conrelid join pg_class as r on r.oid = confrelid
     where contype = 'f' and c.relnamespace = to_regnamespace($1) and c.oid <> r.oid`,
    [SCHEMA],
  )
  const ordered: Table[] = []
  const isLoaded = (name: string): boolean => ordered.some((table) => table.name === name)
  while (ordered.length < tables.length) {
    const ready = tables.filter(
      ({ name }) => !isLoaded(name) && references.every(({ from, to }) => from !== name || isLoaded(to)),
    )
    invariant(ready.length > 0, 'no tables refer to each other in a circle')
    ordered.push(...ready)
  }
  return ordered
}
