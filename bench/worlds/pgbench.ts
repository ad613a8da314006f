// The statements that one submit sends to Postgres, recorded and written as a script of pgbench: each client is one person who
// answers the item claimed in the round before. So pgbench does what the server does there, and nothing besides.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import fs from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Query, Store } from '#store'

export type Statement = { text: string; values: readonly unknown[]; rows: readonly Record<string, unknown>[] }

/** A store that notes what is asked of it. `begin` and `commit` of its transactions are noted too. */
export function recording(store: Store): { store: Store; take(): Statement[] } {
  let noted: Statement[] = []
  const note =
    (query: Query): Query =>
    async <Row>(text: string, values: readonly unknown[] = []) => {
      const statement: Statement = { text, values, rows: [] }
      noted.push(statement)
      const rows = await query<Row>(text, values)
      Object.assign(statement, { rows })
      return rows
    }
  return {
    store: {
      ...store,
      query: note(store.query),
      async transaction(work) {
        noted.push({ text: 'begin', values: [], rows: [] })
        const answer = await store.transaction((query) => work(note(query)))
        noted.push({ text: 'commit', values: [], rows: [] })
        return answer
      },
    },
    take() {
      const taken = noted
      noted = []
      return taken
    },
  }
}

export type Person = { id: string; token: string; item: string }

/**
 * `recorded` is one submit by `by`, of the item that it had, whose answer brought `next`. What is of that person becomes a
 * variable of the client; the key of the answer is drawn.
 */
export function scriptOf(
  recorded: readonly Statement[],
  { by, key, next }: { by: Person; key: string; next: string },
): { script: string; statements: number } {
  const hash = createHash('sha256').update(by.token).digest('hex')
  let hasNext = false
  const expression = (value: unknown): string => {
    if (value === null || value === undefined) return 'null'
    if (Buffer.isBuffer(value)) return value.toString('hex') === hash ? ':session' : `'\\x${value.toString('hex')}'`
    // Ids come as text; a number is a strength or a limit, whatever it equals.
    if (typeof value === 'number') return String(value)
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (text === by.id) return ':person'
    if (text === by.item) return ':item'
    if (text === next) return ':next'
    if (text === key) return 'gen_random_uuid()'
    return `'${text.replaceAll("'", "''")}'`
  }
  const lines = recorded.map(({ text, values, rows }) => {
    // From the last, so that $1 does not take the beginning of $10.
    let filled = text.replaceAll(/\s+/g, ' ')
    for (let i = values.length; i > 0; i--) filled = filled.replaceAll(`$${i}`, expression(values[i - 1]))
    // Variables begin with a colon: casts and slices must not look like them.
    const column = hasNext ? undefined : Object.keys(rows[0] ?? {}).find((name) => String(rows[0]![name]) === next)
    if (column === undefined) return `${filled};`
    hasNext = true
    return `${filled} \\gset got_\n\\set next :got_${column}`
  })
  if (!hasNext) throw new Error('expected a statement that answers the next item, found none')
  const first = `\\if :started = 0
select person, session, item from bench_people where n = :client_id \\gset
\\set started 1
\\endif`
  return { script: `${first}\n${lines.join('\n')}\n\\set item :next\n`, statements: recorded.length }
}

/** Debian puts it where no path leads. */
export function findPgbench(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  const debian = '/usr/lib/postgresql'
  if (fs.existsSync(debian)) folders.push(...fs.readdirSync(debian).map((version) => join(debian, version, 'bin')))
  return folders.map((folder) => join(folder, 'pgbench')).find((file) => fs.existsSync(file))
}

export type Rate = { perSecond: number; milliseconds: number }

export function runPgbench(
  program: string,
  o: {
    script: string
    folder: string
    clients: number
    seconds: number
    protocol: 'extended' | 'prepared'
    url: string
  },
): Rate {
  const file = join(o.folder, 'submit.sql')
  fs.writeFileSync(file, o.script)
  const flags = ['-n', '-f', file, '-c', String(o.clients), '-j', '2', '-T', String(o.seconds), '-M', o.protocol]
  const done = spawnSync(program, [...flags, '-D', 'started=0', o.url], {
    encoding: 'utf8',
    env: { ...process.env, PGOPTIONS: '-c search_path=hone' },
  })
  const perSecond = Number(/tps = ([\d.]+)/.exec(done.stdout)?.[1])
  const milliseconds = Number(/latency average = ([\d.]+)/.exec(done.stdout)?.[1])
  const failed = Number(/number of failed transactions: (\d+)/.exec(done.stdout)?.[1] ?? 0)
  if (done.status !== 0 || !(perSecond > 0) || failed > 0) throw new Error(`pgbench: ${done.stdout}${done.stderr}`)
  return { perSecond, milliseconds }
}
