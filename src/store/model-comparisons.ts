// Finished comparisons of models of the annotators: worked out once for the same answers, and not forgotten by a restart.
import type { Query } from './store.ts'

/** `sha256`: of the answers and settings. `evidence`: of each model, as it was worked out. */
export type ModelComparison = { sha256: string; method: string; evidence: unknown }

/** The one of these answers, else the newest of the campaign. */
export async function findModelComparison(
  query: Query,
  campaign: string,
  sha256: string,
): Promise<ModelComparison | undefined> {
  const rows = await query<ModelComparison>(
    `select sha256, method, evidence from model_comparisons where campaign_id = $1
     order by sha256 = $2 desc, made_at desc limit 1`,
    [campaign, sha256],
  )
  return rows[0]
}

export async function keepModelComparison(
  query: Query,
  campaign: string,
  { sha256, method, evidence }: ModelComparison,
): Promise<void> {
  await query(
    `insert into model_comparisons (campaign_id, sha256, method, evidence) values ($1, $2, $3, $4) on conflict do nothing`,
    [campaign, sha256, method, JSON.stringify(evidence)],
  )
}
