// Jobs: runs that the trainer is to do, is doing, or did. A claim is one statement, with a lease that its trainer renews; a
// lease that ran out is a trainer that died, and the next claim takes the job over. Nothing here knows what a run is.
import { audit } from './audit.ts'
import type { Query, Store } from './store.ts'

export type JobState = 'queued' | 'running' | 'waiting' | 'paused' | 'stopped' | 'failed' | 'done'
export type Wish = 'stop' | 'pause'

export type StoredJob = {
  id: string
  project: string
  run: string
  recipe: string
  /** RunOrder as JSON; null: the run was begun elsewhere. */
  ordered: unknown
  state: JobState
  wish: Wish | null
  reason: string
  attempts: number
  by: string
  madeAt: string
  startedAt: string | null
  endedAt: string | null
}

/** After so many deaths without a new checkpoint in between, a job has failed. */
export const MOST_DEATHS = 5
const WAIT_AFTER_DEATH_SECONDS = 1

const JOB = `select jobs.id, project_id as project, run, recipe, ordered, state, wish, reason, attempts, users.name as by,
    made_at as "madeAt", started_at as "startedAt", ended_at as "endedAt"
  from jobs join users on users.id = made_by`

/** False: the workspace has a job of that run already, or one that supersedes the same run. */
export async function createJob(
  query: Query,
  { project, run, recipe, ordered, by }: { project: string; run: string; recipe: string; ordered: unknown; by: string },
): Promise<boolean> {
  const made = await query(
    `insert into jobs (project_id, run, recipe, ordered, made_by) values ($1, $2, $3, $4, $5)
     on conflict do nothing returning 1`,
    [project, run, recipe, ordered === null ? null : JSON.stringify(ordered), by],
  )
  return made.length > 0
}

/** Of every project: run folders belong to the workspace. Newest first. */
export function listJobs(query: Query): Promise<StoredJob[]> {
  return query<StoredJob>(`${JOB} order by made_at desc`)
}

export async function findJob(query: Query, run: string): Promise<StoredJob | undefined> {
  return (await query<StoredJob>(`${JOB} where run = $1`, [run]))[0]
}

/**
 * What a person asks. Who does not run obeys at once; a running job is told by its trainer. False: that makes no sense in
 * the state it is in.
 */
export async function askJob(query: Query, run: string, what: Wish | 'resume'): Promise<boolean> {
  const rows =
    what === 'resume'
      ? await query(
          `update jobs set state = 'queued', wish = null, reason = '', deaths = 0, ready_at = now(), queued_at = now(), ended_at = null
           where run = $1 and state in ('paused', 'stopped', 'failed') returning 1`,
          [run],
        )
      : await query(
          `update jobs set
             wish = case when state = 'running' then $2 end,
             reason = case when state = 'running' then reason else '' end,
             ended_at = case when state <> 'running' and $2 = 'stop' then now() else ended_at end,
             state = case when state = 'running' then state when $2 = 'stop' then 'stopped' else 'paused' end
           where run = $1 and (state in ('queued', 'running', 'waiting') or (state = 'paused' and $2 = 'stop')) returning 1`,
          [run, what],
        )
  return rows.length > 0
}

export type ClaimedJob = { id: string; run: string; recipe: string; ordered: unknown; wish: Wish | null }

/** The job that waits longest, or one whose trainer died, for this trainer; undefined: there is none. */
export async function claimJob(
  { query }: Store,
  { trainer, leaseSeconds }: { trainer: string; leaseSeconds: number },
): Promise<ClaimedJob | undefined> {
  const [job] = await query<ClaimedJob>(
    `with next as (
       select id, state from jobs
       where (state = 'queued' and ready_at <= now()) or (state = 'running' and lease_until < now())
       order by queued_at limit 1 for update skip locked)
     update jobs set state = 'running', trainer = $1, lease_until = now() + $2 * interval '1 second', attempts = attempts + 1,
       deaths = deaths + (next.state = 'running')::int, started_at = coalesce(started_at, now())
     from next where jobs.id = next.id returning jobs.id, run, recipe, ordered, wish`,
    [trainer, leaseSeconds],
  )
  return job
}

type Held = { id: string; trainer: string }

/** What its newest checkpoint says: a run that got further starts its count of deaths anew. True: it may be tried again. */
export async function mayStart(query: Query, { id, trainer }: Held, reached: number): Promise<boolean> {
  const [row] = await query<{ deaths: number }>(
    `update jobs set deaths = case when $3 > reached then 0 else deaths end, reached = $3
     where id = $1 and trainer = $2 returning deaths`,
    [id, trainer, reached],
  )
  return row !== undefined && row.deaths < MOST_DEATHS
}

/** Renews the lease; answers what is asked of the job. Undefined: it is no longer this trainer's. */
export async function renewLease(
  query: Query,
  { id, trainer }: Held,
  leaseSeconds: number,
): Promise<{ wish: Wish | null } | undefined> {
  const [row] = await query<{ wish: Wish | null }>(
    `update jobs set lease_until = now() + $3 * interval '1 second' where id = $1 and trainer = $2 returning wish`,
    [id, trainer, leaseSeconds],
  )
  return row
}

/** How a trainer's work on a job ended. `again`: nobody's fault, to be tried again after so many seconds; `died`: it may be the run's. */
export type Ending =
  | { state: 'done' | 'failed' | 'paused' | 'waiting'; reason: string }
  | { state: 'again'; reason: string; afterSeconds: number }
  | { state: 'died'; reason: string }

/** Ends that nobody asked for, which the audit log tells of. */
const TOLD: readonly JobState[] = ['done', 'failed', 'waiting']

/** Gives the job back. What was asked of it meanwhile is done now, unless it is done or failed. Call it in a transaction. */
export async function settleJob(query: Query, { id, trainer }: Held, ending: Ending): Promise<void> {
  const { state, reason } = ending
  const seconds = state === 'again' ? ending.afterSeconds : WAIT_AFTER_DEATH_SECONDS
  const [settled] = await query<{ project: string; run: string; state: JobState }>(
    `with how as (
       select id, case when $3 in ('done', 'failed') then $3 when wish = 'stop' then 'stopped' when wish = 'pause' then 'paused'
         when $3 in ('again', 'died') then 'queued' else $3 end as state, wish is not null and $3 not in ('done', 'failed') as is_asked
       from jobs where id = $1 and trainer = $2 for update)
     update jobs set trainer = null, lease_until = null, wish = null, state = how.state,
       reason = case when is_asked then '' else $4 end,
       deaths = deaths + ($3 = 'died')::int,
       attempts = attempts - ($3 = 'again')::int,
       ready_at = now() + $5 * interval '1 second',
       ended_at = case when how.state in ('done', 'failed', 'stopped') then now() end
     from how where jobs.id = how.id returning project_id as project, run, jobs.state`,
    [id, trainer, state, reason, seconds],
  )
  if (settled && TOLD.includes(settled.state)) {
    const { project, run } = settled
    await audit(query, { actor: null, project, action: `run.${settled.state}`, subject: run })
  }
}

/** Jobs whose people have answered are queued again. */
export async function wakeWaiting(query: Query): Promise<void> {
  await query(
    `update jobs set state = 'queued', reason = '', queued_at = now(), ready_at = now()
     where state = 'waiting' and not exists (
       select from mark_campaigns join campaigns on campaigns.id = campaign_id join items on items.campaign_id = campaigns.id
       where mark_campaigns.run = jobs.run and campaigns.state <> 'closed' and judged < wanted and settled is null)`,
  )
}
