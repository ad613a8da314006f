// Fills and their samples. A prompt's samples arrive together, once: the key of a sample lets the same be sent again.
import type { Query } from './store.ts'

export type FillState = 'waiting' | 'drawing' | 'done' | 'failed' | 'stopped'
/** `hash`: of all files of the folder, known once it was loaded. */
export type FillModel = { name: string; folder: string; isSimulated: boolean; hash?: string }
export type FillSettings = { n: number; seed: number; temperature: number; topP: number; maxTokens: number }
export type Fill = FillSettings & {
  id: string
  project: string
  name: string
  prompts: string
  promptsVersion: string
  promptCount: number
  models: FillModel[]
  state: FillState
  problem: string | null
  /** Of the comparisons. */
  version: string | null
  by: string
  byId: string
  madeAt: string
  /** Samples that are there. */
  drawn: number
}

const FILL = `select fills.id, project_id as project, fills.name, prompts, prompts_version as "promptsVersion",
    prompt_count as "promptCount", models, n, seed, temperature, top_p as "topP", max_tokens as "maxTokens", state, problem,
    result_version as version, users.name as by, made_by as "byId", made_at as "madeAt",
    (select count(*)::int from samples where fill_id = fills.id) as drawn
  from fills join users on users.id = made_by`

export function listFills(query: Query, project: string): Promise<Fill[]> {
  return query<Fill>(`${FILL} where project_id = $1 order by made_at desc`, [project])
}

export async function findFill(query: Query, project: string, id: string): Promise<Fill | undefined> {
  return (await query<Fill>(`${FILL} where project_id = $1 and fills.id = $2`, [project, id]))[0]
}

export async function findFillById(query: Query, id: string): Promise<Fill | undefined> {
  return (await query<Fill>(`${FILL} where fills.id = $1`, [id]))[0]
}

/** Undefined: the name is taken. */
export async function createFill(
  query: Query,
  fill: Pick<
    Fill,
    'project' | 'name' | 'prompts' | 'promptsVersion' | 'promptCount' | 'models' | 'byId' | keyof FillSettings
  >,
): Promise<string | undefined> {
  const { project, name, prompts, promptsVersion, promptCount, models, n, seed, temperature, topP, maxTokens, byId } =
    fill
  const [made] = await query<{ id: string }>(
    `insert into fills (project_id, name, prompts, prompts_version, prompt_count, models, n, seed, temperature, top_p, max_tokens, made_by)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict (project_id, name) do nothing returning id`,
    [
      project,
      name,
      prompts,
      promptsVersion,
      promptCount,
      JSON.stringify(models),
      n,
      seed,
      temperature,
      topP,
      maxTokens,
      byId,
    ],
  )
  return made?.id
}

/** The oldest fill that nobody draws, and the lease on it that the caller now has. */
export async function claimFill(
  query: Query,
  leaseSeconds: number,
): Promise<{ fill: Fill; lease: string } | undefined> {
  const [claimed] = await query<{ id: string; lease: string }>(
    `update fills set state = 'drawing', leased_by = gen_random_uuid(), leased_until = now() + $1 * interval '1 second'
     where id = (select id from fills where state in ('waiting', 'drawing') and (leased_until is null or leased_until < now())
       order by made_at limit 1 for update skip locked) returning id, leased_by as lease`,
    [leaseSeconds],
  )
  if (!claimed) return undefined
  return { fill: (await findFillById(query, claimed.id))!, lease: claimed.lease }
}

/** False: the lease is lost, because the fill was stopped or another has it. */
export async function keepFill(query: Query, lease: string, leaseSeconds: number): Promise<boolean> {
  const kept = await query(
    `update fills set leased_until = now() + $2 * interval '1 second' where leased_by = $1 returning 1`,
    [lease, leaseSeconds],
  )
  return kept.length > 0
}

/** Gives the lease back, so that whoever comes next goes on at once. */
export async function leaveFill(query: Query, lease: string): Promise<void> {
  await query('update fills set leased_by = null, leased_until = null where leased_by = $1', [lease])
}

export async function noteModels(query: Query, id: string, models: readonly FillModel[]): Promise<void> {
  await query('update fills set models = $2 where id = $1', [id, JSON.stringify(models)])
}

export type Sample = {
  row: number
  sample: number
  completion: string
  finished: boolean
  tokens: number
  logprob: number
}

/** All samples of one prompt, in one statement; what is there already stays. */
export async function saveSamples(
  query: Query,
  fill: string,
  model: number,
  samples: readonly Sample[],
): Promise<void> {
  await query(
    `insert into samples (fill_id, model, row_number, sample, completion, finished, tokens, logprob)
     select $1, $2, "row", sample, completion, finished, tokens, logprob
     from jsonb_to_recordset($3) as given ("row" integer, sample smallint, completion text, finished boolean, tokens integer, logprob real)
     on conflict do nothing`,
    [fill, model, JSON.stringify(samples)],
  )
}

/** Prompts of which all samples of that model are there. */
export async function drawnRows(query: Query, fill: string, model: number): Promise<Set<number>> {
  const rows = await query<{ row: number }>(
    'select distinct row_number as row from samples where fill_id = $1 and model = $2',
    [fill, model],
  )
  return new Set(rows.map(({ row }) => row))
}

/** In the order of prompts, then of samples. `rows`: only the first of them. */
export function listSamples(
  query: Query,
  fill: string,
  { rows }: { rows?: number } = {},
): Promise<(Sample & { model: number })[]> {
  return query(
    `select model::int, row_number as row, sample::int, completion, finished, tokens, logprob from samples
     where fill_id = $1 and ($2::int is null or row_number < $2) order by row_number, sample, model`,
    [fill, rows ?? null],
  )
}

/** By whoever draws it. False: the lease was lost. */
export async function endFill(
  query: Query,
  lease: string,
  o: { state: 'done'; version: string } | { state: 'failed'; problem: string },
): Promise<boolean> {
  const rows = await query(
    `update fills set state = $2, result_version = $3, problem = $4, leased_by = null, leased_until = null, ended_at = now()
     where leased_by = $1 returning 1`,
    [lease, o.state, o.state === 'done' ? o.version : null, o.state === 'failed' ? o.problem : null],
  )
  return rows.length > 0
}

/** Takes the lease from whoever draws it; false: it has ended already. */
export async function stopFill(query: Query, id: string): Promise<boolean> {
  const rows = await query(
    `update fills set state = 'stopped', leased_by = null, leased_until = null, ended_at = now()
     where id = $1 and state in ('waiting', 'drawing') returning 1`,
    [id],
  )
  return rows.length > 0
}

/** A stopped or failed fill goes on where it was; false: it is neither. */
export async function resumeFill(query: Query, id: string): Promise<boolean> {
  const rows = await query(
    `update fills set state = 'waiting', problem = null, ended_at = null where id = $1 and state in ('stopped', 'failed') returning 1`,
    [id],
  )
  return rows.length > 0
}
