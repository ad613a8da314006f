// Is what somebody copied one moment of a store that people judge in? Who judges until told to stop, and what tells two moments apart.
import { randomUUID } from 'node:crypto'
import { claim, type Store, submit } from '#store'

export type Judging = { acknowledged: Set<string>; sent: Set<string>; done: Promise<unknown> }

/** Each of them judges pair after pair of the campaign until `signal`; `sent` may hold what was never acknowledged. */
export function judgeUntil(
  store: Store,
  { project, campaign, people }: { project: string; campaign: string; people: readonly string[] },
  signal: AbortSignal,
): Judging {
  const [acknowledged, sent] = [new Set<string>(), new Set<string>()]
  const judging = people.map(async (user) => {
    while (!signal.aborted) {
      const task = await claim(store, campaign, user)
      if (!task) return
      const key = randomUUID()
      sent.add(key)
      const answer = { key, choice: 'left', strength: 2, reason: '', activeSeconds: 0.1 } as const
      await submit(store, { project, campaign, item: task.id, user }, answer)
      acknowledged.add(key)
    }
  })
  return { acknowledged, sent, done: Promise.all(judging) }
}

export async function keysIn({ query }: Store): Promise<string[]> {
  return (await query<{ key: string }>('select key from judgements')).map(({ key }) => key)
}

/** Zeros where all rows are of one moment. */
export async function disagreements({ query }: Store): Promise<unknown> {
  const [row] = await query(
    `select (select count(*)::int from judgements) - (select sum(judged)::int from items) as judged,
       (select count(*)::int from claims) - (select sum(claimed)::int from items) as claimed,
       (select count(*)::int from judgements) - (select count(*)::int from audit where action = 'judgement.submit') as audited,
       (select count(*)::int from audit full join judgements on subject = judgements.id::text
        where (action = 'judgement.submit' and judgements.id is null) or audit.id is null) as alone`,
  )
  return row
}
