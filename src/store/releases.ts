// Candidacies, waivers, and the history of names. Nothing here is changed once written, but that a candidacy is signed once.
import type { GateResult } from '#schema'
import { LAPSED_AT } from './lapses.ts'
import type { Query } from './store.ts'

export type Waiver = {
  id: string
  gate: string
  reason: string
  by: string
  at: string
  expiresAt: string
  counts: boolean
}
export type Candidacy = {
  id: string
  release: string
  model: string
  folder: string
  hash: string
  rules: unknown[]
  evaluations: { hash: string; name: string; label?: string }[]
  gates: GateResult[]
  simulated: boolean
  /** Id of the objective in force when it was asked; null: there was none. */
  objective: string | null
  /** Said where evaluations, models or labels were of other objectives. */
  objectivesDiffer: string | null
  askedBy: string
  askedById: string
  askedAt: string
  signedBy: string | null
  signedAt: string | null
  signOff: 'released' | 'refused' | null
  signReason: string
  waivers: Waiver[]
}

const CANDIDACY = `select candidacies.id, release, model, folder, hash, rules, evaluations, gates, simulated, objective_sha256 as objective,
    objectives_differ as "objectivesDiffer", askers.name as "askedBy",
    asked_by as "askedById", asked_at as "askedAt", signers.name as "signedBy", signed_at as "signedAt", sign_off as "signOff",
    sign_reason as "signReason",
    coalesce((select jsonb_agg(jsonb_build_object('id', waivers.id, 'gate', gate, 'reason', reason, 'by', users.name,
        'at', waived_at, 'expiresAt', expires_at, 'counts', expires_at > now()) order by waived_at)
      from waivers join users on users.id = waived_by where candidacy_id = candidacies.id), '[]') as waivers
  from candidacies join users as askers on askers.id = asked_by left join users as signers on signers.id = signed_by`

export function listCandidacies(query: Query, project: string): Promise<Candidacy[]> {
  return query<Candidacy>(`${CANDIDACY} where project_id = $1 order by asked_at desc`, [project])
}

export async function findCandidacy(query: Query, project: string, id: string): Promise<Candidacy | undefined> {
  return (await query<Candidacy>(`${CANDIDACY} where project_id = $1 and candidacies.id = $2`, [project, id]))[0]
}

export async function createCandidacy(
  query: Query,
  o: Pick<Candidacy, 'release' | 'model' | 'folder' | 'hash' | 'rules' | 'evaluations' | 'gates' | 'simulated'> &
    Partial<Pick<Candidacy, 'objective' | 'objectivesDiffer'>> & {
      project: string
      by: string
    },
): Promise<string> {
  const [made] = await query<{ id: string }>(
    `insert into candidacies (project_id, release, model, folder, hash, rules, evaluations, gates, simulated, asked_by,
       objective_sha256, objectives_differ)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) returning id`,
    [
      o.project,
      o.release,
      o.model,
      o.folder,
      o.hash,
      JSON.stringify(o.rules),
      JSON.stringify(o.evaluations),
      JSON.stringify(o.gates),
      o.simulated,
      o.by,
      o.objective ?? null,
      o.objectivesDiffer ?? null,
    ],
  )
  return made!.id
}

export async function addWaiver(
  query: Query,
  o: { candidacy: string; gate: string; reason: string; by: string; days: number },
): Promise<void> {
  await query(
    `insert into waivers (candidacy_id, gate, reason, waived_by, expires_at)
     values ($1, $2, $3, $4, now() + $5 * interval '1 day')`,
    [o.candidacy, o.gate, o.reason, o.by, o.days],
  )
}

/** False: it was signed before. Call it in the transaction of what the signature does. */
export async function signCandidacy(
  query: Query,
  id: string,
  o: { by: string; signOff: 'released' | 'refused'; reason: string },
): Promise<boolean> {
  const rows = await query(
    `update candidacies set signed_by = $2, signed_at = now(), sign_off = $3, sign_reason = $4
     where id = $1 and signed_at is null returning 1`,
    [id, o.by, o.signOff, o.reason],
  )
  return rows.length > 0
}

export type ReleaseEntry = {
  id: number
  name: string
  candidacy: string
  model: string
  folder: string
  hash: string
  simulated: boolean
  /** Since when a rule that failed is no longer waived; null: none. */
  lapsedAt: string | null
  backTo: number | null
  reason: string
  by: string
  at: string
}

const RELEASE = `select releases.id, releases.name, candidacy_id as candidacy, model, folder, hash, simulated, back_to as "backTo",
    ${LAPSED_AT} as "lapsedAt", releases.reason, users.name as by, made_at as at
  from releases join candidacies on candidacies.id = candidacy_id join users on users.id = made_by`

/** All entries of all names, newest first. */
export function listReleases(query: Query, project: string): Promise<ReleaseEntry[]> {
  return query<ReleaseEntry>(`${RELEASE} where releases.project_id = $1 order by releases.id desc`, [project])
}

/** What the name stands for now. */
export async function findRelease(query: Query, project: string, name: string): Promise<ReleaseEntry | undefined> {
  const rows = await query<ReleaseEntry>(
    `${RELEASE} where releases.project_id = $1 and releases.name = $2 order by releases.id desc limit 1`,
    [project, name],
  )
  return rows[0]
}

export async function addRelease(
  query: Query,
  o: { project: string; name: string; candidacy: string; backTo?: number; reason?: string; by: string },
): Promise<void> {
  await query(
    'insert into releases (project_id, name, candidacy_id, back_to, reason, made_by) values ($1, $2, $3, $4, $5, $6)',
    [o.project, o.name, o.candidacy, o.backTo ?? null, o.reason ?? '', o.by],
  )
}
