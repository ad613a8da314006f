// Step 5: the reward model on preferences, and the ticket it needs before it may enter RL: accuracy against the ceiling,
// calibration, length slope, probes, best of n.
import { scoresOf } from '#align'
import { bestOfNCurve, checkGate, type Gate, rewardTicket } from '#evaluate'
import type { Preference, RewardReport } from '#schema'
import { deriveSeed, wilson } from '#stats'
import { train } from '#trainer'
import { probe } from './probes.ts'
import { labelIsRight } from './protocol.ts'
import { runOrResume } from '../run-or-resume.ts'
import { data, goldOf, readJsonl, replies, run, type Stage, trainOptions, withWeights } from './stage.ts'

const TICKET: Gate[] = [
  { name: 'better than chance', statistic: 'accuracy', bound: 'low', comparison: 'above', value: 0.6 },
  {
    name: 'under the ceiling',
    statistic: 'agreement',
    bound: 'value',
    comparison: 'at-most',
    value: { statistic: 'ceiling', bound: 'high', times: 1, plus: 0 },
  },
  { name: 'calibrated', statistic: 'ece', bound: 'value', comparison: 'below', value: 0.1 },
]

export async function trainReward(stage: Stage): Promise<RewardReport> {
  const { seed, engine, tokenizer, domain, settings } = stage
  const folder = run(stage, 'reward')
  const trained = await runOrResume(folder, trainOptions(stage), (o) =>
    train(
      {
        recipe: 'reward',
        config: settings.reward,
        device: 'cpu',
        dtype: stage.dtype,
        model: `${run(stage, 'sft')}/model`,
        data: data(stage, 'preferences-pairs'),
        heldOut: data(stage, 'preferences-pairs-held-out'),
        read: 'sum',
      },
      folder,
      o,
    ),
  )
  const heldOut = readJsonl<Preference>(data(stage, 'preferences-pairs-held-out'))
  const example = (prompt: string, completion: string) => ({
    prompt: tokenizer.encodePrompt(prompt),
    completion: Int32Array.from([...tokenizer.encode(completion), tokenizer.eosId]),
  })
  const a = heldOut.map((p) => example(p.prompt as string, p.a))
  const b = heldOut.map((p) => example(p.prompt as string, p.b))
  const { scoresA, scoresB, probes } = await withWeights(stage, trained.model, async (model) => {
    const scores = { scoresA: await scoresOf(engine, model, a), scoresB: await scoresOf(engine, model, b) }
    const texts = heldOut.flatMap(({ prompt, ...pair }, i) =>
      (['a', 'b'] as const).map((side) => ({
        prompt,
        completion: pair[side],
        group: prompt as string,
        score: scores[side === 'a' ? 'scoresA' : 'scoresB'][i]!,
      })),
    )
    return { ...scores, probes: await probe(stage, model, { texts, weights: trained.model }) }
  })
  const { heldOutPairs } = settings.sizes
  const strata = new Map(
    domain.prompts(seed, { n: heldOutPairs, split: 'pairs-held-out' }).map(({ id, stratum }) => [id, stratum]),
  )
  const ticket = rewardTicket(
    heldOut.map((p, i) => ({
      item: p.item,
      ...(strata.has(p.item) && { stratum: strata.get(p.item)! }),
      scoreA: scoresA[i]!,
      scoreB: scoresB[i]!,
      probability: p.probability,
      gold: Number(domain.gold.read(p.prompt as string, p.a).score > domain.gold.read(p.prompt as string, p.b).score),
      lengthA: a[i]!.completion.length,
      lengthB: b[i]!.completion.length,
    })),
    { seed, logitsPerUnit: trained.outcome.metrics.affineScale ?? 1, resamples: 300 },
  )
  const right = heldOut.map((p) => labelIsRight(domain, p))
  const ceiling = wilson(
    right.reduce((x, y) => x + y, 0),
    right.length,
  )
  const statistics = { accuracy: ticket.accuracy, agreement: ticket.agreement, ceiling, ece: ticket.ece }
  const curve = readJsonl<{ step: number; loss?: number; heldOutLoss?: number }>(`${folder}/metrics.jsonl`)
  return {
    ...statistics,
    ece: ticket.ece.value,
    eceAsScored: ticket.eceAsScored.value,
    temperature: ticket.temperature,
    bestOfN: [],
    pairs: readJsonl(data(stage, 'preferences-pairs')).length,
    heldOutPairs: heldOut.length,
    byMargin: ticket.byMargin,
    ...(ticket.byStratum && { byStratum: ticket.byStratum }),
    ...(probes.length > 0 && { probes }),
    reliability: ticket.reliability.map(({ predicted, observed }) => ({ predicted, observed })),
    lengthSlope: ticket.lengthSlope.value,
    intervals: { ece: ticket.ece, lengthSlope: ticket.lengthSlope },
    ...(ticket.lengthMatched && { lengthMatched: ticket.lengthMatched }),
    ...(ticket.longerPreferred && { longerPreferred: ticket.longerPreferred }),
    curve: curve.map(({ step, loss, heldOutLoss }) => ({
      step,
      loss: loss ?? null,
      ...(heldOutLoss !== undefined && { heldOut: heldOutLoss }),
    })),
    ticket: TICKET.map((gate) => checkGate(gate, statistics)),
  }
}

/** Best of n on samples of SFT: what more optimisation against this reward model would buy, by proxy and by the simulated gold. */
export async function bestOfN(stage: Stage): Promise<RewardReport['bestOfN']> {
  const { seed, engine, domain } = stage
  const { bestOfNPrompts, bestOfNSamples } = stage.settings.sizes
  const prompts = domain.prompts(seed, { n: bestOfNPrompts, split: 'best-of-n' }).map((p) => p.prompt)
  const many = prompts.flatMap((prompt) => new Array<string>(bestOfNSamples).fill(prompt))
  const samples = await withWeights(stage, `${run(stage, 'sft')}/model`, (model) =>
    replies(stage, model, many, 'best-of-n'),
  )
  const proxies = await withWeights(stage, `${run(stage, 'reward')}/model`, (model) =>
    scoresOf(
      engine,
      model,
      samples.map(({ rollout }) => rollout),
    ),
  )
  const gold = goldOf(stage, samples)
  const byPrompt = prompts.map((_, p) =>
    Array.from({ length: bestOfNSamples }, (_, k) => {
      const i = p * bestOfNSamples + k
      return { proxy: proxies[i]!, gold: gold[i]! }
    }),
  )
  return bestOfNCurve(byPrompt, { seed: deriveSeed(seed, 'best-of-n') }).map(
    ({ n, kl, proxy, gold: g, goldInterval }) => ({
      n,
      kl,
      proxy,
      gold: g ?? null,
      ...(goldInterval && { goldInterval }),
    }),
  )
}
