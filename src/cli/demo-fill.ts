// What a quickstart left becomes a team's workspace: its simulated annotators as people who cannot sign in, their judgements
// as a campaign, its verdict as a candidacy that a simulated reviewer signed. Everybody and everything here is called
// simulated. They say no strength of preference; it is entered as the least there is.
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { readRows, saveVersion, type Version } from '#data'
import { ConfigError, invariant } from '#errors'
import { sha256File } from '#files'
import { objectiveInForce, readEvaluation, readJsonFile, readRelease } from '#lineage'
import type { Comparison, GateResult, Judgement } from '#schema'
import {
  addGuideline,
  addRelease,
  addWaiver,
  audit,
  createCampaign,
  createCandidacy,
  createProject,
  createUser,
  disableUser,
  importJudgements,
  newestGuideline,
  noteReading,
  type Query,
  setRole,
  signCandidacy,
  type Store,
} from '#store'
import { loadDomain } from './domains.ts'
import { readIdentity } from './quickstart/identity.ts'
import { settingsOf } from './quickstart/settings.ts'

const PAIRS = 80
const OPEN_PAIRS = 20
const PROMPTS = 200
const OVERLAP = 3
const WAIVER_DAYS = 30
const RELEASE = 'desk'

type Person = { id: string; name: string }

/** The project's slug. Once: a workspace that has people is refused. */
export async function fillDemo(store: Store, workspace: string): Promise<string> {
  const judged = (await readRows(join(workspace, 'data/judgements-pairs.jsonl'), { kind: 'judgements' })).rows
  const inStrata = await placing(workspace)
  const { comparisons: first, judgements } = firstPairs(judged)
  const comparisons = inStrata(first)
  const evaluated = await readRows(join(workspace, 'data/evaluation-pairs.jsonl'), { kind: 'comparisons' })
  const differing = inStrata(evaluated.rows as Comparison[]).filter(({ a, b }) => a !== b)
  // Where no mark was better than SFT, SFT was kept, and the two say the same: pairs of the first round are left to judge.
  const open = (differing.length > 0 ? differing : comparisons).slice(0, OPEN_PAIRS)
  const prompts = (await readRows(join(workspace, 'data/rl-prompts.jsonl'), { kind: 'prompts' })).rows.slice(0, PROMPTS)
  const source = { demo: 'rows of the quickstart in this folder' }
  const save = async (kind: 'comparisons' | 'prompts', name: string, rows: Comparison[] | typeof prompts) =>
    (await saveVersion(workspace, rows as never[], { kind, name, source })).version
  const firstVersion = await save('comparisons', 'first-pairs', comparisons)
  const openVersion = await save('comparisons', 'pairs-to-judge', open)
  await save('prompts', 'prompts', prompts)
  // Nobody can sign in by it: the accounts are disabled, and the password is not kept.
  const passwordHash = await hash(randomBytes(32).toString('base64url'))
  return store.transaction(async (query) => {
    const [has] = await query('select 1 from users limit 1')
    if (has) throw new ConfigError('expected a workspace that nobody uses yet, got one with people in it')
    const project = await createProject(query, { slug: 'customer-service', name: 'Customer service (simulated)' })
    invariant(project, 'the first project takes any name')
    const person = (name: string, role: Parameters<typeof setRole>[3]) =>
      simulated(query, { project: project.id, name, role, passwordHash })
    const lead = await person('lead', 'lead')
    const engineer = await person('engineer', 'engineer')
    const reviewer = await person('reviewer', 'reviewer')
    const annotators = new Map<string, Person>()
    for (const name of [...new Set(judgements.map(({ annotator }) => annotator))].sort())
      annotators.set(name, await person(`annotator ${name.replace(/^simulated-/, '')}`, 'annotator'))
    const text = fs.readFileSync(join(workspace, 'guideline.md'), 'utf8')
    await addGuideline(query, project.id, { text, by: lead.id, objective: objectiveInForce({ workspace })?.id })
    const guideline = (await newestGuideline(query, project.id))!
    const campaign = async (name: string, version: Version, rows: Comparison[], overlap: number): Promise<string> => {
      const items = rows.map(({ item, prompt, a, b, stratum }) => ({ item, prompt, a, b, stratum }))
      const by = { guideline: guideline.id, overlap, seed: 1, by: lead.id }
      const asked = { project: project.id, name, dataset: version.name, version: version.version, ...by, items }
      return (await createCampaign(query, asked))!
    }
    const judging = await campaign('First round (simulated people)', firstVersion, comparisons, OVERLAP)
    for (const { id } of annotators.values()) await noteReading(query, guideline.id, id)
    const sides = new Map(comparisons.map(({ item, a }) => [item, a]))
    await importJudgements(
      query,
      judging,
      judgements.map(({ item, annotator, left, choice, strength, time }) => {
        const isDecided = choice === 'left' || choice === 'right'
        return {
          item,
          user: annotators.get(annotator)!.id,
          isALeft: left === sides.get(item),
          choice,
          strength: isDecided ? (strength ?? 1) : null,
          reason: '',
          seconds: time ?? 0,
        }
      }),
    )
    await campaign('For you to judge (simulated replies)', openVersion, open, 1)
    await release(query, workspace, { project: project.id, lead, engineer, reviewer })
    const detail = { simulated: true, judgements: judgements.length }
    await audit(query, { actor: null, project: project.id, action: 'demo.fill', subject: project.slug, detail })
    return project.slug
  })
}

async function simulated(
  query: Query,
  o: { project: string; name: string; role: Parameters<typeof setRole>[3]; passwordHash: string },
): Promise<Person> {
  const name = `Simulated ${o.name}`
  const email = `${name.toLowerCase().replaceAll(' ', '-')}@simulated.invalid`
  const user = await createUser(query, { email, name, passwordHash: o.passwordHash })
  invariant(user, 'no two simulated people have one name')
  await setRole(query, o.project, user.id, o.role)
  await disableUser(query, user.id)
  return { id: user.id, name }
}

/** The first pairs that enough people judged, with that many judgements each. */
/** Gives rows the stratum of their prompt, which the quickstart's files of pairs leave out. */
async function placing(workspace: string): Promise<(rows: readonly Comparison[]) => Comparison[]> {
  const identity = readIdentity(workspace)
  const { sizes } = settingsOf(identity)
  const { prompts } = await loadDomain('customer-service')
  const rows = [
    ...prompts(identity.seed, { n: sizes.pairs, split: 'pairs' }),
    ...prompts(identity.seed, { n: sizes.evaluation, split: 'evaluation' }),
  ]
  const strata = new Map(rows.map(({ prompt, stratum }) => [prompt, { stratum }]))
  return (pairs) => pairs.map((pair) => ({ ...pair, ...strata.get(pair.prompt as string) }))
}

function firstPairs(judged: readonly Judgement[]): { comparisons: Comparison[]; judgements: Judgement[] } {
  const byItem = new Map<string, Judgement[]>()
  for (const row of judged) byItem.set(row.item, [...(byItem.get(row.item) ?? []), row])
  const enough = [...byItem.values()].filter((rows) => rows.length >= OVERLAP).slice(0, PAIRS)
  return {
    comparisons: enough.map(([row]) => ({ item: row!.item, prompt: row!.prompt ?? '', a: row!.left, b: row!.right })),
    judgements: enough.flatMap((rows) => rows.slice(0, OVERLAP)),
  }
}

/** The quickstart's own verdict, asked for and signed. What failed is waived, so that there is a release to look at, and says so. */
async function release(
  query: Query,
  workspace: string,
  o: { project: string; lead: Person; engineer: Person; reviewer: Person },
): Promise<void> {
  const file = join(workspace, 'evaluation.json')
  const { model } = readEvaluation(file)
  const { gates } = readJsonFile(join(workspace, 'release.json')) as { gates: GateResult[] }
  const { objective, objectivesDiffer } = readRelease(join(workspace, 'release.json'))
  const candidacy = await createCandidacy(query, {
    project: o.project,
    release: RELEASE,
    model: 'ppo',
    folder: model.path,
    hash: model.hash,
    rules: readJsonFile(join(workspace, 'gates.json')) as unknown[],
    evaluations: [{ hash: sha256File(file), name: 'evaluation.json' }],
    gates,
    simulated: true,
    objective: objective?.id ?? null,
    objectivesDiffer: objectivesDiffer ?? null,
    by: o.engineer.id,
  })
  for (const { name, passed } of gates)
    if (!passed) {
      const reason = 'Simulated: waived so that the demonstration has a release to look at'
      await addWaiver(query, { candidacy, gate: name, reason, by: o.lead.id, days: WAIVER_DAYS })
    }
  await signCandidacy(query, candidacy, { by: o.reviewer.id, signOff: 'released', reason: 'Simulated signature' })
  await addRelease(query, { project: o.project, name: RELEASE, candidacy, by: o.reviewer.id })
}
