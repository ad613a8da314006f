// Evaluations by people: which fill drew, which campaign judges, and the record of the result.
import type { AskedCriterion } from './campaigns.ts'
import type { Query } from './store.ts'

export type EvaluationRow = {
  id: string
  name: string
  fill: string
  overlap: number
  criteria: AskedCriterion[]
  campaign: string | null
  by: string
  madeAt: string
  recordedBy: string | null
  recordedAt: string | null
  artifact: string | null
  statistics: Record<string, unknown> | null
}

const EVALUATION = `select evaluations.id, evaluations.name, fill_id as fill, overlap, criteria, campaign_id as campaign, makers.name as by,
    made_at as "madeAt", recorders.name as "recordedBy", recorded_at as "recordedAt", artifact, statistics
  from evaluations join users as makers on makers.id = made_by left join users as recorders on recorders.id = recorded_by`

export function listEvaluations(query: Query, project: string): Promise<EvaluationRow[]> {
  return query<EvaluationRow>(`${EVALUATION} where project_id = $1 order by made_at desc`, [project])
}

export async function findEvaluation(query: Query, project: string, id: string): Promise<EvaluationRow | undefined> {
  const rows = await query<EvaluationRow>(`${EVALUATION} where project_id = $1 and evaluations.id = $2`, [project, id])
  return rows[0]
}

/** Undefined: the name is taken. */
export async function createEvaluation(
  query: Query,
  {
    project,
    name,
    fill,
    overlap,
    criteria,
    by,
  }: {
    project: string
    name: string
    fill: string
    overlap: number
    criteria: readonly AskedCriterion[]
    by: string
  },
): Promise<string | undefined> {
  const [made] = await query<{ id: string }>(
    `insert into evaluations (project_id, name, fill_id, overlap, made_by, criteria) values ($1, $2, $3, $4, $5, $6)
     on conflict (project_id, name) do nothing returning id`,
    [project, name, fill, overlap, by, JSON.stringify(criteria)],
  )
  return made?.id
}

/** Whose samples are drawn and whose campaign is not open yet; the row is locked until the transaction ends. */
export async function nextToOpen(
  query: Query,
): Promise<
  (Pick<EvaluationRow, 'id' | 'name' | 'fill' | 'overlap' | 'criteria' | 'by'> & { project: string }) | undefined
> {
  const rows = await query<Awaited<ReturnType<typeof nextToOpen>> & object>(
    `select evaluations.id, evaluations.project_id as project, evaluations.name, fill_id as fill, overlap, criteria,
       evaluations.made_by as by
     from evaluations join fills on fills.id = fill_id where campaign_id is null and state = 'done'
     order by evaluations.made_at limit 1 for update of evaluations skip locked`,
  )
  return rows[0]
}

export async function noteCampaign(query: Query, evaluation: string, campaign: string): Promise<void> {
  await query('update evaluations set campaign_id = $2 where id = $1', [evaluation, campaign])
}

/** False: it was recorded before; that record stands. */
export async function recordEvaluation(
  query: Query,
  id: string,
  o: { by: string; artifact: string; statistics: Record<string, unknown> },
): Promise<boolean> {
  const rows = await query(
    `update evaluations set recorded_by = $2, recorded_at = now(), artifact = $3, statistics = $4
     where id = $1 and recorded_at is null returning 1`,
    [id, o.by, o.artifact, JSON.stringify(o.statistics)],
  )
  return rows.length > 0
}
