// Which stage is at fault: SFT, the reward model or RL. Each stage has symptoms with a threshold far from where healthy runs lie; the
// earliest stage with a grave one is named, since later stages inherit its fault. Suspicions count only if the outcome is bad.
import type { Diagnosis } from '#schema'
import { average, type Interval, quantile } from '#stats'
import { HOW_TO_GET_A_TICKET } from './ticket-refusal.ts'
import type { Facts, RewardFacts, RlFacts, RlStep, SftFacts } from './facts.ts'

/** `grave` is enough to accuse; a suspicion needs a bad outcome besides; `sound` clears. */
type Finding = { weight: 'grave' | 'suspicion' | 'sound'; text: string; nextAction?: string }
type Stage = 'sft' | 'reward' | 'rl'

const STAGES: Record<Stage, string> = { sft: 'SFT', reward: 'the reward model', rl: 'RL' }

/** The stage at fault, the evidence for it first and then what clears the others, and what to do next. */
export function diagnose(facts: Facts): Diagnosis {
  const findings: Record<Stage, Finding[]> = {
    sft: facts.sft ? examineSft(facts.sft) : [],
    reward: facts.reward ? examineReward(facts.reward) : [],
    rl: facts.rl ? examineRl(facts.rl) : [],
  }
  const stages = Object.keys(findings) as Stage[]
  const count = (stage: Stage, weight: Finding['weight']) => findings[stage].filter((f) => f.weight === weight).length
  let accused = stages.find((stage) => count(stage, 'grave') > 0)
  const isBad = facts.winRate !== undefined && facts.winRate.low <= 0.5
  if (!accused && isBad) {
    const most = Math.max(...stages.map((stage) => count(stage, 'suspicion')))
    if (most > 0) accused = stages.find((stage) => count(stage, 'suspicion') === most)
  }
  const outcome = facts.winRate ? [`win rate of the kept checkpoint over SFT: ${say(facts.winRate)}`] : []
  const texts = (stage: Stage, weights: Finding['weight'][]) =>
    findings[stage].filter((f) => weights.includes(f.weight)).map((f) => `${STAGES[stage]}: ${f.text}`)
  if (!accused) {
    const seen = stages.flatMap((stage) => texts(stage, ['sound', 'suspicion']))
    const isKnown = seen.length > 0
    return {
      stage: 'none',
      sentence: isKnown
        ? isBad
          ? 'No stage shows a fault, yet the outcome is not shown to be better: the gain may be smaller than this evaluation can see.'
          : 'No stage shows a fault.'
        : 'Nothing to diagnose: no run files with metrics were found.',
      evidence: [...outcome, ...seen],
      ...(isBad && { nextAction: 'evaluate on more prompts, or train the reward model on more judgements' }),
      ...(!isKnown && { nextAction: 'give runs of sft, reward and ppo, or a report.json' }),
    }
  }
  const own = findings[accused].filter((f) => f.weight !== 'sound').sort((x, y) => rank(x) - rank(y))
  return {
    stage: accused,
    sentence: `${capital(STAGES[accused])} is at fault: ${own[0]!.text}.`,
    evidence: [
      ...own.map((f) => `${STAGES[accused]}: ${f.text}`),
      ...outcome,
      ...stages.flatMap((stage) => (stage === accused ? [] : texts(stage, ['grave', 'suspicion', 'sound']))),
    ],
    nextAction: own.find((f) => f.nextAction)?.nextAction ?? 'look at samples of this stage beside the demonstrations',
  }
}

/** Held-out loss of healthy runs lies within 1.2 of the entropy floor; a tenth of the training leaves it at 2 and more. */
const FLOOR_RATIO = 1.3

/**
 * Nats a token that a prompt is worth; healthy runs have 0.3 to 0.6, a model that learnt from shuffled prompts or diverged under 0.06.
 * Of its loss it is half and more; one that diverged half way has 0.07.
 */
const LEAST_GAIN = 0.1
const LEAST_GAIN_SHARE = 0.1

function examineSft(sft: SftFacts): Finding[] {
  const found: Finding[] = []
  const { heldOut, heldOutBefore, floor, trainLoss, curve, promptGain, generalRatio, endedShare, gatePassed } = sft
  const more = 'train longer or with a higher learning rate, and check the demonstrations (hone data check) before that'
  if (heldOut !== undefined && floor !== undefined) {
    const text = `held-out loss ${num(heldOut)} is ${num(heldOut / floor)} times the entropy of the demonstrations (${num(floor)} nats a token)`
    found.push(heldOut > FLOOR_RATIO * floor ? { weight: 'grave', text, nextAction: more } : { weight: 'sound', text })
  }
  if (heldOut !== undefined && heldOutBefore !== undefined) {
    const text = `held-out loss went from ${num(heldOutBefore)} to ${num(heldOut)} nats a token`
    found.push(
      heldOut > 0.75 * heldOutBefore
        ? { weight: 'grave', text: `${text}: hardly anything was learnt`, nextAction: more }
        : { weight: 'sound', text },
    )
  }
  if (promptGain) {
    const text = `under another row's prompt the loss rises by ${say(promptGain)} nats a token`
    const ignores = 'check that prompts and completions of the demonstrations belong together, then train again'
    found.push(
      promptGain.high < Math.max(LEAST_GAIN, LEAST_GAIN_SHARE * (heldOut ?? 0))
        ? { weight: 'grave', text: `${text}: prompts are hardly read`, nextAction: ignores }
        : { weight: 'sound', text },
    )
  }
  if (heldOut !== undefined && trainLoss !== undefined && trainLoss > 1.5 * heldOut + 0.05)
    found.push({
      weight: 'grave',
      text: `training loss ${num(trainLoss)} stays far above held-out loss ${num(heldOut)}: training rows are not like the held-out ones`,
      nextAction: 'compare training and held-out demonstrations; look for corrupted or shuffled rows',
    })
  if (curve && curve.length >= 4) {
    const lowest = Math.min(...curve)
    const last = curve.at(-1)!
    const before = curve[Math.floor((curve.length - 1) * 0.75)]!
    if (last > 1.1 * lowest + 0.02)
      found.push({
        weight: 'suspicion',
        text: `held-out loss rose again from ${num(lowest)} to ${num(last)}: over-fitted`,
        nextAction: 'train for fewer epochs',
      })
    else if (last < 0.92 * before)
      found.push({
        weight: 'suspicion',
        text: `held-out loss was still falling at the end (${num(before)} to ${num(last)} in the last quarter)`,
        nextAction: more,
      })
  }
  if (endedShare !== undefined && endedShare < 0.8)
    found.push({
      weight: 'grave',
      text: `only ${num(endedShare)} of samples end by themselves`,
      nextAction: 'check that completions end with end-of-sequence and that it is trained',
    })
  if (generalRatio !== undefined && generalRatio > 1.25)
    found.push({
      weight: 'suspicion',
      text: `general perplexity rose ${num(generalRatio)} times`,
      nextAction: 'replay more general rows beside the demonstrations',
    })
  if (gatePassed === false) found.push({ weight: 'suspicion', text: 'its gate did not pass' })
  return found
}

/** Fewer pairs leave an interval so wide that holding 0.5 says little. */
const FEWEST_PAIRS = 100
/** Alpha of preferences between samples of one model is 0.2 to 0.3; below this most of the annotators guess. */
const LEAST_ALPHA = 0.1
/** Share of what the ceiling allows above chance; healthy models on few judgements reach half and more. */
const CEILING_SHARE = 0.4

function examineReward({
  alpha,
  withoutTicket,
  agreement,
  ceiling,
  trainAccuracy,
  fresh,
  ece,
  longerPreferred,
}: RewardFacts): Finding[] {
  const found: Finding[] = []
  if (alpha) {
    const text = `annotators agree beyond chance by alpha ${say(alpha)}`
    const permuted =
      'check that judgements belong to their items and sides, and who among the annotators guesses (hone label agreement), then train again'
    found.push(
      alpha.low <= 0
        ? {
            weight: (alpha.n ?? 0) >= FEWEST_PAIRS ? 'grave' : 'suspicion',
            text: `${text}: not shown to agree at all`,
            nextAction: permuted,
          }
        : alpha.value < LEAST_ALPHA
          ? { weight: 'suspicion', text: `${text}: hardly`, nextAction: permuted }
          : { weight: 'sound', text },
    )
  }
  if (agreement) {
    const text = `right on ${say(agreement)} of held-out pairs${ceiling ? `, where people reach ${say(ceiling)}` : ''}`
    const wanted = ceiling ? 0.5 + CEILING_SHARE * (ceiling.value - 0.5) : 0.5
    const relabel = 'check the judgements it was trained on for permuted or flipped choices, then train again'
    if (agreement.high < 0.5)
      found.push({
        weight: 'grave',
        text: `${text}: worse than chance, its labels are turned round`,
        nextAction: relabel,
      })
    else if (agreement.low <= 0.5)
      found.push({
        // Few decided pairs excuse it, unless they are few because nobody agrees.
        weight: (agreement.n ?? 0) >= FEWEST_PAIRS || (alpha && alpha.value < LEAST_ALPHA) ? 'grave' : 'suspicion',
        text: `${text}: not shown to be better than chance`,
        nextAction: relabel,
      })
    else if (agreement.high < wanted)
      found.push({ weight: 'grave', text: `${text}: far below them`, nextAction: relabel })
    else found.push({ weight: 'sound', text })
    if (trainAccuracy !== undefined && trainAccuracy - agreement.high > 0.15)
      found.push({
        weight: 'suspicion',
        text: `right on ${num(trainAccuracy)} of its training pairs: over-fitted`,
        nextAction: 'train for one epoch, or collect more comparisons',
      })
  }
  if (fresh) {
    const text = `right on ${say(fresh)} of fresh pairs at the first mark`
    found.push(
      fresh.low > 0.5
        ? { weight: 'sound', text }
        : {
            weight: 'suspicion',
            text: `${text}: not shown to be better than chance on what the policy writes`,
            nextAction: 'judge pairs of the policy’s own completions and train it again',
          },
    )
  }
  if (withoutTicket)
    found.push({
      weight: 'suspicion',
      text: 'it entered RL without its ticket',
      nextAction: `${HOW_TO_GET_A_TICKET}, before RL is run again`,
    })
  if (ece !== undefined && ece > 0.15)
    found.push({
      weight: 'suspicion',
      text: `its probabilities, as scored, are off by ${num(ece)} on average (ECE)`,
      nextAction: 'train on soft labels from aggregation',
    })
  if (longerPreferred && longerPreferred.reward.low > longerPreferred.labels.high + 0.1)
    found.push({
      weight: 'suspicion',
      text: `prefers the longer completion in ${say(longerPreferred.reward)} of pairs, people in ${say(longerPreferred.labels)}`,
      nextAction: 'collect pairs of equal length, or add a length term',
    })
  return found
}

/** Healthy learning spends up to half a nat a step at the end of a budget of 4 (0.56 was seen); ten times the learning rate spends several. */
const NATS_A_STEP = 1
/** Largest probability ratio of a token within a step: healthy runs have a median of 1 to 3 over steps, at 30 times the learning rate 16. */
const FAR_RATIO = 10
/** Nats no useful run needs; best-of-4096 costs 7.3. */
const FAR = 30

function examineRl({ series, budget, beta, markKl, lastWin }: RlFacts): Finding[] {
  if (series.length === 0) return []
  const found: Finding[] = []
  const third = Math.max(1, Math.floor(series.length / 3))
  const [first, last] = [series.slice(0, third), series.slice(-third)]
  const change = average(last.map((s) => s.reward)) - average(first.map((s) => s.reward))
  const error = Math.sqrt(spread(first) + spread(last))
  const most = series.reduce((high, s) => Math.max(high, s.kl), 0)
  const slower = 'lower the learning rate (a third, then a tenth) and keep the KL budget on'
  const moved = `the learned reward went ${change < 0 ? 'down' : 'up'} by ${num(Math.abs(change))} over the run, KL to ${num(most)} nats`
  if (change < -0.1 && change < -3 * error)
    found.push({
      weight: 'grave',
      text: `${moved}: it is being minimised`,
      nextAction: 'check the sign of the advantage and of every reward term’s weight',
    })
  else if (most < 0.02 && change < 0.05)
    found.push({
      weight: 'suspicion',
      text: `${moved}: the policy hardly left SFT`,
      nextAction: 'raise the learning rate or the number of steps',
    })
  else found.push({ weight: 'sound', text: moved })
  if (series.some((s) => !Number.isFinite(s.kl) || !Number.isFinite(s.reward) || (s.skipped ?? 0) > 0))
    found.push({ weight: 'grave', text: 'steps were skipped or not finite', nextAction: slower })
  const climb = steepest(series)
  if (climb > NATS_A_STEP)
    found.push({ weight: 'grave', text: `KL climbed by ${num(climb)} nats a step`, nextAction: slower })
  const limit = budget ?? FAR
  if (most > 1.5 * limit)
    found.push({
      weight: 'grave',
      text: `KL reached ${num(most)} nats${budget ? `, the budget is ${num(budget)}` : ''}`,
      nextAction: slower,
    })
  else if (markKl !== undefined && markKl > 2 * limit)
    found.push({
      weight: 'grave',
      text: `one step took KL to ${num(markKl)} nats at a mark${budget ? `, the budget is ${num(budget)}` : ''}`,
      nextAction: slower,
    })
  const isUnbound = budget === null && beta !== undefined && beta <= 1e-3
  if (isUnbound && (most > 6 || (lastWin !== undefined && lastWin.low <= 0.5)))
    found.push({
      weight: 'grave',
      text: `nothing held KL: no budget, price ${num(beta)} a nat, and it reached ${num(most)} nats`,
      nextAction: 'turn the KL budget on, or price KL (beta 0.03), and start again from SFT',
    })
  const entropies = series.flatMap((s) => s.entropy ?? [])
  if (entropies.length >= 3 && average(entropies.slice(-3)) < 0.3 * average(entropies.slice(0, 3)))
    found.push({
      weight: 'grave',
      text: `entropy collapsed from ${num(average(entropies.slice(0, 3)))} to ${num(average(entropies.slice(-3)))} nats a token`,
      nextAction: slower,
    })
  // Exactly 1: the policy was not trained in this step.
  const ratios = series.flatMap((s) => (s.ratioMax === 1 ? [] : (s.ratioMax ?? []))).sort((x, y) => x - y)
  if (ratios.length > 0 && quantile(ratios, 0.5) > FAR_RATIO)
    found.push({
      weight: 'grave',
      text: `probability ratios reach ${num(quantile(ratios, 0.5))} within a step (median over steps)`,
      nextAction: slower,
    })
  const clipped = series.flatMap((s) => s.clipFraction ?? [])
  if (clipped.length > 0 && average(clipped) > 0.5)
    found.push({ weight: 'grave', text: `${num(average(clipped))} of tokens are clipped`, nextAction: slower })
  if (lastWin && lastWin.high < 0.5 && change > 0)
    found.push({
      weight: 'suspicion',
      text: `at the last mark it wins ${say(lastWin)} against SFT while the reward rose: over-optimised`,
      nextAction: 'keep an earlier mark, and re-train the reward model on fresh pairs',
    })
  const explained = series.flatMap((s) => s.explainedVariance ?? [])
  if (explained.length > 0 && average(explained) < -0.5)
    found.push({
      weight: 'suspicion',
      text: `the critic explains less than nothing (${num(average(explained))} of the variance)`,
      nextAction: 'warm the critic up, or lower its learning rate',
    })
  return found
}

/** Steepest climb of KL, nats a step: of its 3-step mean over three steps, or from the start to any step after the first (short runs). */
function steepest(series: readonly RlStep[]): number {
  const mean = (from: number) => average(series.slice(from, from + 3).map((s) => s.kl))
  let steep = 0
  for (let i = 1; i < series.length; i++) steep = Math.max(steep, series[i]!.kl / (i + 1))
  for (let i = 3; i + 3 <= series.length; i++) steep = Math.max(steep, (mean(i) - mean(i - 3)) / 3)
  return steep
}

/** Squared standard error of the mean reward of some steps. */
function spread(steps: readonly RlStep[]): number {
  const mean = average(steps.map((s) => s.reward))
  return average(steps.map((s) => (s.reward - mean) ** 2)) / Math.max(1, steps.length - 1)
}

function rank(finding: Finding): number {
  return finding.weight === 'grave' ? 0 : 1
}

function num(value: number): string {
  return String(Number(value.toPrecision(3)))
}

function say({ value, low, high }: Interval): string {
  return `${num(value)} [${num(low)}, ${num(high)}]`
}

function capital(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}
