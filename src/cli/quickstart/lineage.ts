// The way from a criterion of the objective to the released checkpoint, down to one judgement: read from the records of
// runs and dataset versions, not remembered.
import { listVersions } from '#data'
import { hashRow } from '#files'
import type { Judgement, LineageReport, Preference } from '#schema'
import { readRun } from '#trainer'
import { keptCheckpoint } from './reinforce.ts'
import { data, readJsonl, run, type Stage } from './stage.ts'

type Node = LineageReport['nodes'][number]

export function lineage(stage: Stage, verdict: 'released' | 'refused'): LineageReport {
  const { domain, dir } = stage
  const nodes: Node[] = []
  const edges: LineageReport['edges'] = []
  const node = (id: string, kind: string, label: string, more: Partial<Node> = {}) => {
    nodes.push({ id, kind, label, ...more })
    return id
  }
  const link = (to: string, ...from: string[]) => {
    for (const f of from) edges.push({ from: f, to })
  }
  const version = (name: string) => listVersions(dir, name).at(-1)!
  const runNode = (name: string, label: string) => {
    const { record } = readRun(run(stage, name))
    return node(`run-${name}`, 'run', label, {
      hash: record.outputs.model?.hash ?? '',
      detail: Object.entries(record.inputs)
        .map(([role, { hash }]) => `${role} ${hash.slice(0, 12)}`)
        .join(', '),
    })
  }

  const criteria = domain.objective.criteria.map((c) =>
    node(`criterion-${c.name}`, 'criterion', c.name, { detail: c.definition }),
  )
  const guideline = node('guideline', 'guideline', domain.guideline.name, { hash: hashRow(domain.guideline.text) })
  link(guideline, ...criteria)

  const raw = version('demonstrations-raw')
  const kept = version('demonstrations')
  const rawNode = node('demonstrations-raw', 'dataset', 'demonstrations as written', {
    hash: raw.version,
    detail: `${raw.rows} rows`,
  })
  const keptNode = node('demonstrations', 'dataset', 'demonstrations, checked', {
    hash: kept.version,
    detail: `${kept.rows} rows`,
  })
  link(keptNode, rawNode)
  const sft = runNode('sft', 'SFT')
  link(sft, keptNode)

  const judgements = version('judgements')
  const judged = node('judgements', 'dataset', 'judgements (simulated)', {
    hash: judgements.version,
    detail: `${judgements.rows} judgements`,
  })
  const one = oneJudgement(stage)
  const first = node('judgement', 'judgement', `${one.judgement.annotator} on ${one.judgement.item}`, {
    hash: hashRow(one.judgement),
    detail: `asked for ${JSON.stringify((one.judgement.prompt as string).slice(0, 80))}, ${one.judgement.annotator} (simulated) chose the ${one.judgement.choice} side under ${one.judgement.guideline}`,
  })
  link(first, guideline)
  link(judged, first, sft)
  const preference = node('preference', 'preference', one.preference.item, {
    hash: hashRow(one.preference),
    detail: `probability ${one.preference.probability.toFixed(3)} that a is better, weight ${one.preference.weight.toFixed(2)}, from ${one.preference.judgements} judgements`,
  })
  link(preference, first)
  const preferences = version('preferences')
  const aggregated = node('preferences', 'dataset', 'preferences', {
    hash: preferences.version,
    detail: `${preferences.rows} pairs`,
  })
  link(aggregated, judged, preference)
  const reward = runNode('reward', 'reward model')
  link(reward, aggregated, sft)
  const ppo = runNode('ppo', 'PPO')
  link(ppo, reward, sft)
  const checkpoint = node('checkpoint', 'checkpoint', keptCheckpoint(stage).split('/').slice(-3).join('/'))
  link(checkpoint, ppo)
  const evaluation = node('evaluation', 'evaluation', 'evaluation against SFT')
  link(evaluation, checkpoint, ...criteria)
  link(node('release', 'release', verdict), evaluation, checkpoint)
  return { checkpoint, nodes, edges }
}

/** A preference, a decided one where there is any, and one of the judgements behind it. */
function oneJudgement(stage: Stage): { judgement: Judgement; preference: Preference } {
  const preferences = readJsonl<Preference>(data(stage, 'preferences-pairs'))
  const preference = preferences.find((p) => p.probability > 0.9) ?? preferences[0]!
  const judgement = readJsonl<Judgement>(data(stage, 'judgements-pairs')).find((j) => j.item === preference.item)!
  return { judgement, preference }
}
