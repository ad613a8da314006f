// `--judge people`: the fresh pairs of a mark become a campaign of the workspace, which people judge in the browser. The
// run does not sit and wait: it ends at the mark's checkpoint and goes on when the answers are in, by itself under `hone
// serve`, by --resume from the command line. The mark follows from its checkpoint, so the pairs are the same and are put once.
import { basename, dirname, relative, resolve } from 'node:path'
import { findWorkspace } from '#data'
import { ConfigError, invariant } from '#errors'
import { aggregate } from '#feedback'
import type { Comparison, Judgement } from '#schema'
import { deriveSeed, generator } from '#stats'
import { reportOn } from '#server'
import { findCampaign, findMark, openStore, type Project, projectOfRun, putMark, type Store } from '#store'
import type { TextJudge, TextVerdict } from '#trainer'
import { Waiting } from './stop.ts'

export function peopleJudge({ seed, run: folder }: { seed: number; run: string }): TextJudge {
  const { workspace, run } = placeOf(folder)
  const withStore = async <T>(work: (store: Store, project: Project) => Promise<T>): Promise<T> => {
    const store = await openStore({ workspace, databaseUrl: process.env.DATABASE_URL })
    try {
      const project = await projectOfRun(store.query, run)
      if (project === undefined)
        throw new ConfigError(
          `--judge people: expected one project in ${workspace}, or a run that was started in one: start it under Runs in the browser`,
        )
      return await work(store, project)
    } finally {
      await store.close()
    }
  }
  const judge = (pairs: readonly Comparison[], purpose: string): Promise<TextVerdict[]> =>
    withStore(async (store, project) => {
      const mark = await findMark(store.query, run, stepOf(purpose))
      if (!mark) throw new Error(`the pairs of ${purpose} were not put to people`)
      if (mark.missing > 0)
        throw new Waiting(
          `waits for ${mark.missing} judgements in the campaign ${mark.name}; when they are in: hone train ppo --resume ${relative(process.cwd(), folder)}`,
        )
      const campaign = await findCampaign(store.query, project.id, mark.campaign)
      invariant(campaign, `the campaign of ${purpose} belongs to the project of its run`)
      const { rows, comparisons } = await reportOn(store.query, project, campaign)
      const asked = comparisons.map(({ item, prompt, a, b }) => ({ item, prompt, a, b }))
      return verdictsBy(pairs, { comparisons: asked, judgements: rows, seed: deriveSeed(seed, 'people', purpose) })
    })
  return Object.assign(judge, {
    announce: (step: number, asked: readonly Comparison[]) =>
      withStore(async (store, project) => {
        // Both opponents in one line, so that nobody learns where one ends.
        const items = generator(deriveSeed(seed, 'mark-order', step)).shuffle(
          asked.map(({ item, prompt, a, b, stratum }) => ({ item, prompt, a, b, stratum })),
        )
        if ((await putMark(store, { project: project.id, run, step, items, seed })) === undefined)
          throw new ConfigError('--judge people: write a guideline first, people must know what they judge by')
      }),
  })
}

/** Runs that people judge lie in the runs/ of the workspace whose people they are. */
function placeOf(folder: string): { workspace: string; run: string } {
  const at = resolve(folder)
  const workspace = findWorkspace(dirname(at))
  if (workspace === undefined || dirname(at) !== resolve(workspace, 'runs'))
    throw new ConfigError(`--judge people: expected a run in runs/ of a workspace, got ${folder}`)
  return { workspace, run: basename(at) }
}

function stepOf(purpose: string): number {
  return Number(/^mark-(\d+)-/.exec(purpose)![1])
}

/** Reliability of each annotator weighs in, over both opponents' pairs together. */
function verdictsBy(
  pairs: readonly Comparison[],
  { comparisons, judgements, seed }: { comparisons: Comparison[]; judgements: Judgement[]; seed: number },
): TextVerdict[] {
  const says = judgements.some(({ choice }) => choice !== 'cannot-judge')
  const preferences = says ? aggregate({ judgements, comparisons, seed }).preferences : []
  const byItem = new Map(preferences.map(({ item, probability }) => [item, probability]))
  return pairs.map(({ item }) => {
    const probability = byItem.get(item)
    const own = judgements.filter((judgement) => judgement.item === item)
    return probability === undefined
      ? { probability: 0.5, decided: false, judgements: own }
      : { probability, judgements: own }
  })
}
