// Releases that rest on a waiver which expired after they were signed. The name stays what it was, for whoever asks by it
// depends on it; that it lapsed is told once.
import { audit } from './audit.ts'
import type { Store } from './store.ts'

/** Of a candidacy: when the first failed rule was no longer waived; null: it was not, or none failed. */
export const LAPSED_AT = `(select case when min(until) <= now() then min(until) end from (
    select (select max(expires_at) from waivers where candidacy_id = candidacies.id and gate = result->>'name') as until
    from jsonb_array_elements(gates) as result where not (result->>'passed')::boolean) as failed)`

/** Tells of names that stand for a lapsed release and were not told of yet; answers how many, however many servers look. */
export async function tellLapses(store: Store): Promise<number> {
  return store.transaction(async (query) => {
    const lapsed = await query<{ release: number; at: string }>(
      `with standing as (
         select distinct on (project_id, name) id, candidacy_id from releases order by project_id, name, id desc),
       lapsed as (
         select standing.id, ${LAPSED_AT} as at from standing join candidacies on candidacies.id = standing.candidacy_id)
       insert into lapses (release_id, lapsed_at) select id, at from lapsed where at is not null
       on conflict do nothing returning release_id as release, lapsed_at as at`,
    )
    for (const { release, at } of lapsed) {
      const [entry] = await query<{ project: string; name: string; hash: string }>(
        `select releases.project_id as project, name, hash from releases join candidacies on candidacies.id = candidacy_id
         where releases.id = $1`,
        [release],
      )
      const { project, name, hash } = entry!
      await audit(query, {
        actor: null,
        project,
        action: 'release.lapse',
        subject: name,
        detail: { release, hash, at },
      })
    }
    return lapsed.length
  })
}
