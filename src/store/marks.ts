// Marks that people judge: the campaign of a run's fresh pairs, put once, and what is still missing in it.
import { canonicalJson, sha256 } from '#files'
import { audit } from './audit.ts'
import { createCampaign, type NewItem } from './campaigns.ts'
import { newestGuideline } from './guidelines.ts'
import { type Project, PROJECT } from './people.ts'
import type { Query, Store } from './store.ts'

export type MarkCampaign = { campaign: string; name: string; run: string; step: number; missing: number }

/** Most people for each pair; fewer where a project has fewer annotators. */
const OVERLAP = 3

/**
 * The campaign of these pairs, made if they were not put before. Its name says nothing of the run: annotators see it. One of
 * the same mark with other pairs, of a run that went another way, is closed.
 * @returns undefined where the project has no guideline to judge by
 */
export async function putMark(
  store: Store,
  mark: { project: string; run: string; step: number; items: readonly NewItem[]; seed: number },
): Promise<string | undefined> {
  const { project, run, step, items, seed } = mark
  // Of what people are asked alone, so that a mark put before items named a stratum is found again.
  const hash = sha256(canonicalJson(items.map(({ item, prompt, a, b }) => ({ item, prompt, a, b }))))
  return store.transaction(async (query) => {
    await query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [run])
    const put = await query<{ campaign: string; hash: string }>(
      'select campaign_id as campaign, sha256 as hash from mark_campaigns where run = $1 and step = $2',
      [run, step],
    )
    const same = put.find((each) => each.hash === hash)
    if (same) return same.campaign
    await query("update campaigns set state = 'closed' where id = any($1) and state <> 'closed'", [
      put.map(({ campaign }) => campaign),
    ])
    const guideline = await newestGuideline(query, project)
    if (!guideline) return undefined
    const [counts] = await query<{ marks: number; annotators: number; owner: string }>(
      `select (select count(*)::int from mark_campaigns join campaigns on campaigns.id = campaign_id where project_id = $1) as marks,
         (select count(*)::int from members join users on users.id = user_id
          where project_id = $1 and role = 'annotator' and disabled_at is null) as annotators,
         coalesce((select made_by from jobs where run = $2),
           (select user_id from members where project_id = $1 and role = 'owner' order by joined_at limit 1)) as owner`,
      [project, run],
    )
    const overlap = Math.min(OVERLAP, Math.max(1, counts!.annotators))
    let campaign: string | undefined
    // Somebody may have used the name.
    for (let number = counts!.marks + 1; campaign === undefined; number++)
      campaign = await createCampaign(query, {
        project,
        name: `Fresh pairs ${number}`,
        dataset: `runs/${run}/marks/${step}`,
        version: hash,
        guideline: guideline.id,
        overlap,
        seed,
        by: counts!.owner,
        items,
      })
    await query('insert into mark_campaigns (campaign_id, run, step, sha256) values ($1, $2, $3, $4)', [
      campaign,
      run,
      step,
      hash,
    ])
    const detail = { run, step, items: items.length, overlap, guideline: guideline.label }
    await audit(query, { actor: null, project, action: 'campaign.create', subject: campaign, detail })
    return campaign
  })
}

const MARK = `select campaign_id as campaign, name, run, step,
    case when state = 'closed' then 0 else (select coalesce(sum(greatest(wanted - judged, 0)), 0)::int from items
      where items.campaign_id = campaigns.id and settled is null) end as missing
  from mark_campaigns join campaigns on campaigns.id = campaign_id`

/** What a run waits for; a campaign that was closed early has what it has. */
export function missingMarks(query: Query, runs: readonly string[]): Promise<MarkCampaign[]> {
  return query<MarkCampaign>(`select * from (${MARK} where run = any($1)) as marks where missing > 0 order by step`, [
    runs,
  ])
}

/** The newest campaign that holds pairs of that mark. */
export async function findMark(query: Query, run: string, step: number): Promise<MarkCampaign | undefined> {
  return (
    await query<MarkCampaign>(`${MARK} where run = $1 and step = $2 order by made_at desc limit 1`, [run, step])
  )[0]
}

/** The project that a run's pairs belong to: its job's, else the one whose prefix its name bears. Undefined: there is none. */
export async function projectOfRun(query: Query, run: string): Promise<Project | undefined> {
  const [job] = await query<Project>(
    `select ${PROJECT} from jobs join projects on projects.id = project_id where run = $1`,
    [run],
  )
  if (job) return job
  const [named] = await query<Project>(
    `select ${PROJECT} from projects where starts_with($1, file_prefix) order by length(file_prefix) desc limit 1`,
    [run],
  )
  return named
}
