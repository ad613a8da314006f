// The project's home: the loop of seven steps as it stands, each with one figure, and what waits for whom.
import fs from 'node:fs'
import { join } from 'node:path'
import { listDatasets, listVersions } from '#data'
import { Objective, type Role } from '#schema'
import { listRunFolders, type Project, type RunFolder, type User } from '#store'
import type { Service } from './call.ts'
import type { AnswerOf } from './contract.ts'

type Home = AnswerOf<'GET /api/projects/{project}'>
type Step = Home['steps'][number]

export async function loopOf(
  service: Service,
  { project }: { project: Project; role: Role; user: User },
): Promise<Pick<Home, 'steps' | 'waiting'>> {
  const { workspace } = service
  const kinds = countRows(workspace, project)
  // Runs lie in the workspace; its first project, which keeps plain names, owns them.
  const runs = project.filePrefix === '' ? listRunFolders(workspace) : []
  return {
    steps: [
      objectiveStep(workspace),
      {
        step: 'demonstrations',
        state: kinds.demonstrations > 0 ? 'there' : 'empty',
        figure: kinds.demonstrations > 0 ? count(kinds.demonstrations) : '',
        note: kinds.demonstrations > 0 ? 'demonstrations' : 'no demonstrations yet',
      },
      runStep('sft', runs, ['sft'], 'fine-tuning'),
      {
        step: 'comparisons',
        state: kinds.judgements > 0 ? 'there' : 'empty',
        figure: kinds.judgements > 0 ? count(kinds.judgements) : '',
        note: kinds.judgements > 0 ? 'judgements imported' : 'nobody has judged yet',
      },
      runStep('reward', runs, ['reward'], 'reward'),
      runStep('rl', runs, ['ppo', 'grpo', 'rloo', 'dpo'], 'RL'),
      { step: 'evaluation', state: 'empty', figure: '', note: 'no release yet' },
    ],
    waiting: [],
  }
}

function objectiveStep(workspace: string): Step {
  try {
    const { criteria } = Objective.parse(JSON.parse(fs.readFileSync(join(workspace, 'objective.json'), 'utf8')))
    const constraints = criteria.filter(({ constraint }) => constraint).length
    const note = `criteria, ${constraints} of them ${constraints === 1 ? 'a constraint' : 'constraints'}`
    return { step: 'objective', state: 'there', figure: String(criteria.length), note }
  } catch {
    return { step: 'objective', state: 'empty', figure: '', note: 'no objective yet' }
  }
}

function runStep(step: Step['step'], runs: readonly RunFolder[], recipes: readonly string[], name: string): Step {
  const own = runs.filter(({ recipe }) => recipes.includes(recipe))
  if (own.length === 0) return { step, state: 'empty', figure: '', note: `no ${name} run yet` }
  const running = own.filter(({ status }) => status === 'running').length
  const note = `${own.length === 1 ? 'run' : 'runs'}${running > 0 ? `, ${running} at work` : ''}`
  return { step, state: running > 0 ? 'running' : 'there', figure: String(own.length), note }
}

/** Rows of the newest version of each dataset of the project, by kind. */
function countRows(workspace: string, project: Project): Record<'demonstrations' | 'judgements', number> {
  const counts = { demonstrations: 0, judgements: 0 }
  for (const name of listDatasets(workspace)) {
    if (!name.startsWith(project.filePrefix)) continue
    const newest = listVersions(workspace, name).at(-1)
    if (newest?.kind === 'demonstrations' || newest?.kind === 'judgements') counts[newest.kind] += newest.rows
  }
  return counts
}

const count = (n: number): string => n.toLocaleString('en')
